"""Japanese; the words are looked for anywhere in a text."""

KINDS = """
death: 死亡 死去 亡くな 死者 遺体 死刑 犠牲
injury: けが 負傷 重傷 軽傷 重体
blast: 爆発 爆弾 爆破
fire: 火災 火事 出火 全焼 山火事 炎上
quake: 地震 震度 余震 マグニチュード
flood: 洪水 浸水 氾濫 冠水
storm: 台風 暴風 嵐 突風
crash: 衝突 墜落 脱線 事故 座礁 沈没 転覆
attack: 襲撃 銃撃 攻撃 刺され 発砲 テロ
arrest: 逮捕 拘束 身柄
charge: 起訴 容疑 書類送検
convict: 有罪 懲役 実刑 禁錮 判決
acquit: 無罪
trial: 裁判 公判
resign: 辞任 辞職 辞意 退任
appoint: 任命 就任 起用 後任
elect: 当選 選挙 投票 選出 初当選
strike: ストライキ スト突入 ストに
protest: 抗議 デモ
jobcut: 人員削減 削減 リストラ 解雇
hire: 採用 雇用
buy: 買収 取得 合併 購入
sell: 売却 販売
launch: 発表 発売 公開 披露 打ち上げ
postpone: 延期 先送り 延長
cancel: 中止 撤回 取りやめ 断念
approve: 可決 承認 成立 認可
reject: 否決 拒否 却下 棄却
sign: 署名 調印 合意 締結 条約
breakdown: 決裂 失敗
raise: 引き上げ 利上げ 上昇 値上げ 増加 増額 上方
lower: 引き下げ 利下げ 下落 値下げ 減少 低下 下方
profit: 利益 黒字 増益 売上
loss: 赤字 損失 減益
record: 過去最高 記録 新記録
win: 優勝 勝利 破り 破る 下し 制す 快勝 勝ち 連勝
lose: 敗れ 敗退 敗北
draw: 引き分け
land: 着陸 到達 着地
discover: 発見 見つか 確認
open: 開業 開通 開館 開場 オープン 再開
close: 閉鎖 閉館 休業 通行止 廃止 閉店
begin: 開始 始まる 始まり 開幕 着工
end: 終了 終結 閉幕 幕
sue: 提訴 訴訟 賠償
fine: 罰金 課徴金
ban: 禁止 禁じ
allow: 許可 解禁 合法化
evacuate: 避難
rescue: 救助 救出 無事
missing: 行方不明 不明
ceasefire: 停戦 休戦
talks: 協議 交渉 会談 首脳
recall: リコール 回収
hack: 流出 不正アクセス サイバー
outage: 停電
award: 受賞 賞
transfer: 移籍 加入
free: 解放 釈放 人質
return: 復帰 帰還
snow: 大雪 積雪 降雪
heat: 猛暑 熱波
drought: 渇水 干ばつ
birth: 誕生 出産
"""
AHEAD = """
明日 あす 控え 予想 挑む 迎え撃つ 臨む 前夜 決戦へ 懸け きょう投票
対戦する 行われる
"""
PLANNED = """
予定 見通し 来週 へ 見込み 目指す 狙う 始まる
訪れる 日から 待つ 好調 打ち上げる
"""
GENRES = """
correction: 訂正 おわび
opinion: 社説 コラム 論説 寄稿 主張
review: 書評 レビュー 映画評
preview: 展望 見どころ
analysis: 分析 解説 なぜ 背景 検証
roundup: 速報 中継 まとめ 動画 写真特集 週間 インタビュー ライブ
"""
DAYS = "月曜 火曜 水曜 木曜 金曜 土曜 日曜"
MONTHS = ""
NUMBERS = "万=*10000 億=*100000000 兆=*1000000000000 千=*1000 百=*100"
COMMON = """
会社 政府 大統 統領 大臣 首相 警察 発表 記者 報道 新聞 今日 昨日 今年 昨年 来年 年度 国家 国際
日本 都市 市長
市議 議会 議員 地域 地区 住民 関係 係者 当局 裁判 判所 計画 事業 工事 経済 市場 価格 企業 銀行
顧客 利用 用者
システム 研究 専門 門家 科学 データ 調査 原因 状況 問題 部門 機関 組織 国内 海外 初めて 現在
その 以上 以下 およそ
男性 女性 子供 学校 大学 病院 センター 道路 交通 試合 選手 監督 決勝 前半 後半 得点 今季 優勝
午前 午後 夜 朝
時間 北部 南部 東部 西部 市内 県内 町内 同社 同市 同日 本社 共同 通信 曜日 予定 方針 結果 会見
見通 明らか
述べ 話した 伝え 全員 乗客 台 人 日 月 年
"""

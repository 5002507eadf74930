"""Chinese, simplified and traditional; the words are looked for anywhere in a text."""

KINDS = """
death: 死亡 遇难 身亡 丧生 去世 逝世 死者 人死 罹難 喪生 遇難 遗体
injury: 受伤 伤者 轻伤 重伤 受傷
blast: 爆炸 炸弹 爆炸案 炸彈
fire: 火灾 大火 起火 失火 火災 山火
quake: 地震 震级 强震 余震
flood: 洪水 水灾 洪灾 洪涝 淹没
storm: 台风 暴风 风暴 飓风 颱風
crash: 相撞 坠毁 事故 脱轨 车祸 碰撞 沉没 搁浅 墜毀
attack: 袭击 枪击 攻击 刺伤 襲擊 槍擊 持刀
arrest: 被捕 逮捕 抓获 拘留 落网 逮捕
charge: 起诉 指控 被控 起訴
convict: 判刑 获刑 入狱 有罪 判处 监禁 判處
acquit: 无罪 無罪
trial: 审判 庭审 开庭
resign: 辞职 请辞 下台 辭職 卸任 辞去
appoint: 任命 出任 接任 就任
elect: 当选 选举 大选 投票 當選 選舉
strike: 罢工 罷工 停工
protest: 抗议 示威 游行 抗議
jobcut: 裁员 裁减 裁員
hire: 招聘 招募
buy: 收购 并购 收購 买下 购入
sell: 出售 卖出 售出
launch: 发布 推出 亮相 上市 發布 推出
postpone: 推迟 延期 延后 推遲
cancel: 取消 放弃 撤回
approve: 通过 批准 通過 核准
reject: 否决 拒绝 驳回 否決 反对
sign: 签署 签约 达成协议 协议 簽署 条约
breakdown: 破裂 谈崩 失败
raise: 上调 上涨 加息 提高 增长 上升 涨 上調 增加
lower: 下调 下跌 降息 降低 减少 下降 跌 下調
profit: 利润 盈利 营收 净利 利潤
loss: 亏损 损失 虧損
record: 纪录 创新高 紀錄
win: 夺冠 击败 获胜 胜 冠军 战胜 奪冠 擊敗 大胜 赢得
lose: 失利 告负 落败 输给
draw: 战平 平局
land: 着陆 登陆 降落 著陸
discover: 发现 發現 找到 出土
open: 开通 开放 开幕 开业 啟用 启用 揭幕 通车
close: 关闭 关停 停业 封闭 關閉 停运
begin: 开始 启动 開始 展开
end: 结束 落幕 終結
sue: 起诉 诉讼 訴訟
fine: 罚款 處罰
ban: 禁止 禁令 封杀
allow: 允许 合法化 获准
evacuate: 疏散 撤离 转移
rescue: 救援 获救 救出
missing: 失踪 失蹤
ceasefire: 停火 停战
talks: 谈判 会谈 峰会 談判
recall: 召回
hack: 黑客 泄露 入侵 駭客
outage: 停电 断电 停電
award: 获奖 奖项 获颁 得主 奖
transfer: 加盟 转会
free: 获释 释放 人质
return: 回归 返回
snow: 降雪 大雪 暴雪
heat: 高温 热浪
drought: 干旱
birth: 出生 诞生 产下
"""
AHEAD = """
即将 明天 前瞻 备战 迎战 若能 开打 即將 倒计时 明日
"""
PLANNED = """
将 將 预计 拟 可能 有望 力争 今起 冲击 争夺 迎来 本周末 开售 计划
看好
"""
GENRES = """
correction: 更正 勘误
opinion: 社论 评论 观点 社評 时评 专栏
review: 影评 书评 评测
preview: 前瞻 预告
analysis: 分析 解读 为何 为什么 专访 揭秘
roundup: 直播 盘点 汇总 视频 图集 早报 晚报 快讯 一周
"""
DAYS = "周一 周二 周三 周四 周五 周六 周日"
MONTHS = ""
NUMBERS = "万=*10000 萬=*10000 亿=*100000000 億=*100000000 千=*1000 百=*100"
COMMON = """
公司 政府 总统 部长 总理 警方 表示 宣布 记者 报道 消息 新闻 今天 昨天 今年 去年 明年 年度 国家
国际 中国
城市 市政 市长 地区 居民 人员 官员 当局 法院 法官 议会 议员 会议 计划 项目 工作 工程 经济 市场
价格 美元
欧元 百分 分之 企业 集团 银行 业务 客户 用户 系统 研究 专家 学家 科学 数据 调查 原因 情况 问题
问责 部门 机构
组织 国内 国外 首次 目前 随后 此前 其中 以及 至少 超过 大约 约有 名人 人民 群众 儿童 女子 男子
学校 大学 医院
中心 道路 交通 比赛 球队 球员 教练 决赛 分钟 进球 赛季 联赛 冠军 主场 客场 晚间 凌晨 上午 下午
星期 小时
北部 南部 东部 西部 发言 言人 发言人 负责 指出 认为 强调 介绍 透露 称 本社 社讯 据悉 公布 结果
时间 开始
"""

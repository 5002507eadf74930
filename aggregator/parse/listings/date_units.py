"""Names of units of time in relative dates, such as "3 hours ago" and "vor 3 Stunden".

In lower case without accents, as `dates` compares them.
"""

SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR = 1, 60, 3600, 86_400, 604_800, 2_629_800, 31_557_600

_NAMES = {
    SECOND: (
        "s sec secs second seconds sek sekunde sekunden seg segundo segundos seconde secondes "
        "secondo secondi seconden sekund sekunda sekundy sekunder sekuntia секунду секунды "
        "секунд сек saniye δευτερολεπτα ثانية ثوان שניות शकड सकड 秒 초 giay detik"
    ),
    MINUTE: (
        "m min mins minute minutes minuten minuto minutos minuti minuut minuta minuty minut "
        "minuter minutter minuuttia perc минуту минуты минут мин хвилин хвилини dakika dk "
        "λεπτα λεπτο دقيقة دقايق דקות דקה मिनट 分钟 分鐘 分 분 phut menit"
    ),
    HOUR: (
        "h hr hrs hour hours std stunde stunden hora horas heure heures ora ore uur uren godz "
        "godzine godziny godzin hodina hodiny hodin timme timmar time timer tuntia orakkal "
        "часа часов час ч годин години saat ωρες ωρα ساعة ساعات שעות שעה घट 小时 小時 時間 "
        "시간 gio jam"
    ),
    DAY: (
        "d day days tag tage tagen dia dias jour jours giorno giorni dag dagen dagar dager "
        "dzien dni den dny dnu paivaa nap napja дня днеи день дн днів дні gun ημερες يوم ايام "
        "ימים יום दिन 天 日 일 ngay hari dies"
    ),
    WEEK: (
        "w wk week weeks woche wochen semana semanas semaine semaines settimana settimane "
        "weken tydzien tygodnie tygodni tyden tydny tydnu vecka veckor uke uker viikkoa het "
        "hete неделю недели недель тиждень тижні hafta εβδομαδες اسبوع اسابيع שבועות שבוע "
        "सपताह 周 週 週間 주 tuan minggu"
    ),
    MONTH: (
        "mo month months monat monate monaten mes meses mois mese mesi maand maanden miesiac "
        "miesiace miesiecy mesic mesice mesicu manad manader maned maneder kuukautta honap "
        "honapja месяц месяца месяцев місяць місяців ay μηνες شهر اشهر חודשים חודש महीन 个月 "
        "個月 か月 ヶ月 개월 thang bulan"
    ),
    YEAR: (
        "y yr yrs year years jahr jahre jahren ano anos an ans annee annees anno anni jaar "
        "jaren rok lata lat roky let ar vuotta ev eve год года лет рік років yil χρονια سنة "
        "سنوات שנים שנה साल 年 년 nam tahun"
    ),
}

UNITS = {name: unit for unit, names in _NAMES.items() for name in names.split()}
"""Seconds by name."""

_AGO = (
    "ago before earlier ezelott fa geleden ha hace il lalu once pred sedan siden sitten "
    "temu truoc vor y yang πριν назад тому לפני قبل منذ पहल 以前 前 전"
)
AGO = frozenset(_AGO.split())
"""Words of the past that stand before or after the unit."""

_DAYS = {
    0: (
        "today heute hoy aujourd'hui aujourdhui oggi vandaag dzisiaj dzis dnes idag tanaan ma "
        "сегодня сьогодні bugun σημερα اليوم היום आज 今天 今日 오늘 hoje"
    ),
    1: (
        "yesterday gestern ayer hier ieri gisteren wczoraj vcera igar tegnap вчера вчора dun "
        "χθες امس אתמול कल 昨天 昨日 어제 ontem eilen"
    ),
    2: (
        "vorgestern anteayer avant-hier eergisteren przedwczoraj predevcirem позавчера 前天 "
        "一昨日 anteontem"
    ),
}

NAMED = {name: days for days, names in _DAYS.items() for name in names.split()}
"""Days back by word."""

_ONE = (
    "a an bir een ein eine einem einen einer en et ett jeden jedna one un una une uno один одну एक"
)
ONE = frozenset(_ONE.split())
"""Words for the number one."""

NOW = frozenset(
    {
        "now", "just now", "jetzt", "gerade eben", "soeben", "ahora", "maintenant", "a l'instant",
        "adesso", "nu", "teraz", "nyt", "только что", "щоино", "simdi", "الان", "עכשיו", "刚刚",
        "たった今", "agora",
    }
)  # fmt: skip
"""Words for the time of the poll."""

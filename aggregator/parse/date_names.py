"""Names of months, weekdays and time zones in dates, as feeds in European languages write them.

Names are in lower case without accents. A name that means different months in two languages, such
as `listopad`, stands for both, and a weekday must decide.
"""

from collections.abc import Iterable

_MONTHS = (
    "ene enero gen gener gennaio ian ianuarie jaan jaanuar jaen jan janeiro janner januar "
    "januara januari januarie january janv janvaris janvier jenner led leden ledna oca ocak "
    "saus sausio sausis sij sijecanj sijecnja sty styczen stycznia tammi tammikuu tammikuuta "
    "xan xaneiro ιαν ιανουαριος ιανουαριου сту студзень студзеня січ січень січня янв январь "
    "января яну януари јан јануар јануари "
    "يناير ינואר בינואר",
    "feb febbraio feber febr febreiro febrer febrero februar februara februari februarie "
    "februaris february fev fevereiro fevr fevrier helmi helmikuu helmikuuta lut lutego luty "
    "sub subat uno unor unora vas vasario vasaris veebr veebruar velj veljaca veljace φεβ "
    "φεβρουαριος φεβρουαριου лют лютага лютии лютого люты феб фебруар фев февр февраль февраля "
    "февруари "
    "فبراير פברואר בפברואר",
    "bre brezen brezna kov kovas kovo maalis maaliskuu maaliskuuta maart mac maerz mar marc "
    "marca march marcius marco marec maret mars mart martie marts marz marzec marzo mrt mrz ozu "
    "ozujak ozujka μαρ μαρτιος μαρτιου бер березень березня мар март марта сак сакавік сакавіка "
    "مارس מרץ במרץ",
    "abr abril apr april aprila aprile aprilie aprilis aprill avr avril bal balandis balandzio "
    "dub duben dubna huhti huhtikuu huhtikuuta kwi kwiecien kwietnia nis nisan tra travanj "
    "travnja απρ απριλιος απριλιου апр апрель апреля април кві квіт квітень квітня кра красавік "
    "красавіка "
    "ابريل אפריל באפריל",
    "geg geguze geguzes kve kveten kvetna mag maggio mai maig maijs maio maj maja majus may "
    "mayis mayo mei svi svibanj svibnja touko toukokuu toukokuuta μαι μαιος μαιου маи мая мај "
    "тра трав травень травня "
    "مايو מאי במאי",
    "birz birzelio birzelis cerven cervna cvn cze czerwca czerwiec giu giugno haz haziran iun "
    "iunie juin jun juna june junho juni junie junij junijs junio junius juny juuni kesa "
    "kesakuu kesakuuta lip lipanj lipnja xuno ιουν ιουνιος ιουνιου июн июнь июня чер черв "
    "червень червня чэр чэрвень чэрвеня юни јун јуни "
    "يونيو يونيه יוני ביוני",
    "cervence cervenec cvc heina heinakuu heinakuuta iul iulie juil juill juillet jul jula "
    "julai julho juli julie julij julijs julio juliol julius july juuli liep liepa liepos lip "
    "lipca lipiec lug luglio srp srpanj srpnja tem temmuz xul xullo ιουλ ιουλιος ιουλιου июл "
    "июль июля лип липень липня ліп ліпень ліпеня юли јул јули "
    "يوليو يوليه יולי ביולי",
    "ag ago agost agosto agu agust agustos agustus aout aug august augusta augusti augusts "
    "augustus augusztus avg avgust elo elokuu elokuuta kol kolovoz kolovoza ogo ogos rugp "
    "rugpjucio rugpjutis sie sierpien sierpnia srp srpen srpna αυγ αυγουστος αυγουστου авг "
    "август августа жні жнівень жніуня сер серп серпень серпня "
    "اغسطس אוגוסט באוגוסט",
    "eyl eylul rugs rugsejis rugsejo ruj rujan rujna sep sept septembar september septembra "
    "septembre septembrie septembris septiembre set setembre setembro sett settembre syys "
    "syyskuu syyskuuta szept szeptember wrz wrzesien wrzesnia zar zari σεπ σεπτεμβριος "
    "σεπτεμβριου вер верасень верасня вересень вересня сен сент сентябрь сентября сеп септембар "
    "септември "
    "سبتمبر ספטמבר בספטמבר",
    "eki ekim lis listopad listopada loka lokakuu lokakuuta oct october octobre octombrie "
    "octubre okt oktobar oktober oktobra oktobris oktoober ott ottobre out outubro paz "
    "pazdziernik pazdziernika rij rijen rijna spal spalio spalis οκτ οκτωβριος οκτωβριου жов "
    "жовт жовтень жовтня кас кастрычнік кастрычніка окт октобар октомври октябрь октября "
    "اكتوبر אוקטובר באוקטובר",
    "kas kasim lapkr lapkricio lapkritis lis listopad listopada listopadu marras marraskuu "
    "marraskuuta noiembrie nov novembar november novembra novembre novembris novembro noviembre "
    "stu studeni studenoga νοε νοεμβριος νοεμβριου лист листопад листопада ліс лістапад "
    "лістапада нов новембар ное ноември ноя нояб ноябрь ноября "
    "نوفمبر נובמבר בנובמבר",
    "ara aralik dec decembar december decembra decembre decembrie decembris decembro des "
    "desember desembre dets detsember dez dezember dezembro dic dicembre diciembre dis disember "
    "gru grudnia grudzien gruod gruodis gruodzio joulu joulukuu joulukuuta pro prosinac "
    "prosinca prosince prosinec δεκ δεκεμβριος δεκεμβριου гру груд грудень грудня дек декабрь "
    "декабря декември дец децембар сне снежань снежня "
    "ديسمبر דצמבר בדצמבר",
)
_WEEKDAYS = (
    "dilluns esmaspaev hetfo isn isnin lun lundi lunedi lunes luni luns maanantai maanantaina "
    "maandag man mandag manudagur mon monday montag pazartesi pirmadienis pirmd pirmdiena pon "
    "pondeli pondelok ponedeljak ponedeljek ponedjeljak poniedziałek pzt seg segunda sen senin "
    "δευ δευτερα панядзелак пон понеделник понедельник понедељак понеділок",
    "antradienis dienstag dimarts dinsdag kedd mar mardi martedi martes marti otrd otrdiena sal "
    "sali sel selasa teisipaev ter terca tiistai tiistaina tir tirs tirsdag tis tisdag tor "
    "torek tue tues tuesday tysdag utery uto utorak utorok wto wtorek þri þriðjudagur τρι τριτη "
    "ауторак вто вторник вівторок уто уторак",
    "car carsamba dimecres keskiviikko keskiviikkona kolmapaev mer mercoledi mercores mercredi "
    "mie miercoles miercuri mittwoch mið miðvikudagur ons onsdag qua quarta rab rabu sre sreda "
    "sri srijeda sro sroda streda sze szerda treciadienis tresd tresdiena wed wednesday weds "
    "woensdag τετ τεταρτη серада середа сре среда сряда",
    "cet cetrtek ceturtd ceturtdiena cetvrtak csutortok ctvrtek czw czwartek dijous donderdag "
    "donnerstag fim fimmtudagur gio giovedi jeu jeudi joi jue jueves kam kamis ketvirtadienis "
    "kha khamis neljapaev per persembe qui quinta stvrtok thu thur thurs thursday tor tors "
    "torsdag torstai torstaina xov xoves πεμ πεμπτη чацвер чет четвер четверг четвртак четврток "
    "четвъртък",
    "cum cuma divendres fos fostudagur fre fredag freitag fri friday jum jumaat jumat patek "
    "penktadienis pentek perjantai perjantaina pet petak petek pia piatek piatok piektd "
    "piektdiena reede sex sexta ven vendredi venerdi venres vie viernes vin vineri vrijdag "
    "vrydag παρ παρασκευη пʼятниця пет петак петок петък пятница пятніца",
    "cmt cumartesi dissabte lau lauantai lauantaina laugardagur laupaev laurdag lor lordag lør "
    "lørdag sab sabado sabato sabtu sam sambata samedi samstag sat saterdag saturday "
    "sestadienis sestd sestdiena sob sobota sub subota szo szombat zaterdag σαβ σαββατο саб "
    "сабота суб суббота субота събота",
    "ahad ahd dim dimanche diumenge dom domenica domingo dum duminica min minggu ned nedela "
    "nedele nedelja nedjelja nie niedz niedziela paz pazar puhapaev sekmadienis son sondag "
    "sonntag sun sunday sunnudagur sunnuntai sunnuntaina svetd svetdiena søn søndag vasarnap "
    "zondag κυρ κυριακη воскресенье нед недела неделя недеља неділя нядзеля",
)

FILLERS = frozenset(
    {
        "a", "al", "alle", "am", "at", "by", "d", "de", "del", "den", "der", "die", "dnia", "e",
        "er", "feira", "g", "godz", "h", "i", "il", "in", "kello", "kl", "klo", "klockan", "kloka",
        "la", "las", "le", "min", "nd", "o", "ob", "of", "om", "on", "or", "ora", "ore", "per",
        "rd", "rok", "roku", "s", "st", "t", "th", "the", "til", "u", "um", "uhr", "v", "van", "y",
        "στις", "в", "г", "год", "года", "р", "року", "рік", "у", "ч",
    }
)  # fmt: skip
"""Words in dates that carry no meaning."""

ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "azot": -1, "azost": 0, "west": 1, "bst": 1,
    "ist": 5.5, "cet": 1, "met": 1, "mez": 1, "wat": 1, "cest": 2, "mest": 2, "mesz": 2, "eet": 2,
    "cat": 2, "sast": 2, "eest": 3, "msk": 3, "мск": 3, "eat": 3, "trt": 3, "idt": 3, "msd": 4,
    "samt": 4, "irst": 3.5, "irdt": 4.5, "aft": 4.5, "pkt": 5, "uzt": 5, "yekt": 5, "npt": 5.75,
    "omst": 6, "mmt": 6.5, "ict": 7, "wib": 7, "krat": 7, "novt": 7, "awst": 8, "hkt": 8, "sgt": 8,
    "myt": 8, "pht": 8, "wita": 8, "irkt": 8, "jst": 9, "kst": 9, "wit": 9, "yakt": 9, "acst": 9.5,
    "acdt": 10.5, "aest": 10, "vlat": 10, "aedt": 11, "magt": 11, "nzst": 12, "nzdt": 13,
    "nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "hast": -10,
    "hadt": -9, "brt": -3, "brst": -2, "art": -3, "uyt": -3, "clt": -4, "clst": -3, "bot": -4,
    "vet": -4, "pet": -5, "cot": -5, "ect": -5,
}  # fmt: skip
"""Hours east of Greenwich, of names with one meaning, or nearly always that one.

RFC 5322 §4.3 says not to trust single letters other than Z: their sign was written both ways.
"""

CITIES = {
    "at": "America/Halifax",
    "ct": "America/Chicago",
    "et": "America/New_York",
    "mt": "America/Denver",
    "pt": "America/Los_Angeles",
}
"""Zones whose offset depends on the date."""


def _numbers(rows: Iterable[str], first: int) -> dict[str, frozenset[int]]:
    numbers: dict[str, frozenset[int]] = {}
    for number, row in enumerate(rows, first):
        for name in row.split():
            numbers[name] = numbers.get(name, frozenset()) | {number}
    return numbers


MONTHS = _numbers(_MONTHS, 1)
"""1 is January."""
WEEKDAYS = _numbers(_WEEKDAYS, 0)
"""0 is Monday."""

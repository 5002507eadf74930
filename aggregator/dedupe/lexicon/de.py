"""German."""

KINDS = """
death: tote toten. toter totet getotet gestorben stirbt starb. tod. todes todlich todes opfer
  ums.leben leichen verstorben
injury: verletz
blast: explosion explodier detonat sprengsatz bombe
fire: brand. brande feuer flammen brannt abgebrannt
quake: erdbeben beben. erdstoss magnitude
flood: hochwasser uberschwemm uberflut flut. fluten
storm: sturm orkan unwetter boen
crash: unfall zusammenstoss kollision kollidier entgleis absturz abgesturzt prallt rammt
  zusammengestossen havari
attack: angriff anschlag schusse schoss. messer attacke uberfall attentat angegriffen
arrest: festgenommen festnahme verhaftet gefasst festgesetzt gefangen
charge: anklage angeklagt beschuldigt ermittel
convict: verurteilt haftstrafe gefangnis schuldig freiheitsstrafe haft. urteil
acquit: freispruch freigesprochen spricht.frei
trial: prozess verhandlung
resign: rucktritt tritt.zuruck zuruckgetreten abgang amtsverzicht raumt.
appoint: ernannt ernennt nachfolg berufen. beruft
elect: gewahlt wahlsieg wahl. stichwahl wahlen. abstimmung
strike: streik ausstand arbeitskampf arbeitsniederleg
protest: protest demonstr kundgebung
jobcut: stellenabbau entlass streicht stellen. baut.ab jobabbau gestrichen
hire: einstell stellt.ein
buy: kauft kaufen ubernahme ubernimmt ubernehmen erwirbt erwerb fusion gekauft
sell: verkauf
launch: vorgestellt stellt.vor prasentiert prasentier enthullt veroffentlicht erscheint
postpone: verschoben verschiebt verzoger vertagt
cancel: abgesagt absage streich. storniert gestoppt
approve: beschliesst beschlossen beschloss verabschiedet billigt gebilligt stimmt.zu zugestimmt
  genehmigt grunes
reject: lehnt.ab abgelehnt ablehn scheitert verworfen weist.zuruck
sign: unterzeichn unterschr abkommen einigung einigen geeinigt vertrag. einigt
breakdown: abgebrochen gescheitert platzt geplatzt
raise: erhoh steigt steigen gestiegen anheb hebt.an anstieg hoher. zuwachs zuleg
lower: senkt senken gesenkt sinkt sinken gesunken ruckgang fallt. fallen. kurzt niedriger einbruch
profit: gewinn. gewinne uberschuss umsatz
loss: verlust
record: rekord
win: sieg. siegt siege gewinnt gewonnen besiegt schlagt bezwingt bezwang triumph kantersieg
  titel. meister fegt
lose: verliert verloren niederlage unterliegt
draw: unentschieden remis
land: landet gelandet landung
discover: entdeck gefunden fund. findet
open: eroffn offnet wiedereroffn
close: schliess geschlossen sperrt gesperrt sperrung
begin: beginn gestartet startet start. auftakt
end: endet beendet ende. abgeschlossen
sue: klagt verklagt klage.
fine: bussgeld geldstrafe strafe
ban: verbot verbiet verboten
allow: erlaubt erlaub zugelassen legalis
evacuate: evakuier
rescue: gerettet rettung retten
missing: vermisst verschwunden
ceasefire: waffenruhe waffenstillstand feuerpause
talks: gesprach verhandlungen gipfel
recall: ruckruf ruft.zuruck
hack: hacker cyberangriff datenleck
outage: stromausfall ausfall
award: auszeichn preis. ausgezeichnet preistrager
transfer: wechselt verpflichtet transfer
free: freigelassen geisel
return: ruckkehr kehrt.zuruck
snow: schnee
heat: hitze
drought: durre
birth: geboren geburt nachwuchs
"""
AHEAD = """
erwartet. erwarten. erwartung morgen bevorsteh steht.bevor vorschau empfangt empfangen. gastiert
wahlt. stimmt.uber stimmen.uber tritt.an stehen.bevor hofft.auf hoffen.auf
"""
PLANNED = """
soll. sollen. wird. werden. vor. will. wollen. trifft droht kommende geplant plant. mochte. mochten.
konnte. konnten. hofft hoffen. entscheid muss. mussen. stichwahl. gilt. gelten.
favorit umfrage rechnet zahlt.auf stelldichein
"""
GENRES = """
correction: korrektur berichtigung richtigstellung
opinion: kommentar meinung leitartikel kolumne glosse standpunkt leserbrief
review: kritik. rezension im.test
preview: vorschau ausblick
analysis: analyse hintergrund warum. wie. faktencheck portrat fragen. erklart
roundup: uberblick newsblog liveticker ticker. live. podcast bilder. video. nachrichten.
  wochenruckblick newsletter interview. nachruf quiz rezept
"""
DAYS = "montag dienstag mittwoch donnerstag freitag samstag sonntag"
MONTHS = "januar februar marz april juni juli august september oktober november dezember"
NUMBERS = """
eins=1 zwei=2 drei=3 vier=4 funf=5 sechs=6 sieben=7 acht=8 neun=9 zehn=10 elf=11 zwolf=12
dreizehn=13
vierzehn=14 funfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19 zwanzig=20 dreissig=30
vierzig=40 funfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90 dutzend=12 hundert=*100
tausend=*1000 million=*1000000 millionen=*1000000 mio=*1000000 milliarde=*1000000000
milliarden=*1000000000 mrd=*1000000000 erste=1 zweite=2 dritte=3 vierte=4 funfte=5
"""
COMMON = """
sagte sagten sagt teilte teilten mitgeteilt mitteilte angab erklarte erklarten berichtet
berichtete
bericht menschen jahr jahre jahren jahres monat monate monaten woche wochen tag tage tagen stunde
stunden uhr morgen abend nacht vormittag nachmittag regierung minister ministerin ministerium
prasident prasidentin land landes landern stadt stadte polizei behorde behorden sprecher
sprecherin
unternehmen firma konzern gruppe welt international region rat gericht richter partei chef chefin
mitglieder mannschaft team verein saison spiel spiele spieler trainer minute minuten punkte tor
tore
zeit letzte letzten nachste nachsten fruhere frueheren ehemalige etwa rund mindestens viele
mehrere
einige alle seit bis wahrend gegen zwischen laut wegen andere anderen weitere ersten erste zweite
dritte prozent euro dollar millionen milliarden tausend hundert neue neuen neuer neues grosse
grossen
grosster lange offentlich nachrichten agentur angaben zufolge mann manner frau frauen kind kinder
einwohner bewohner arbeiter mitarbeiter beschaftigte zahl teil ende gebiet ort plan arbeit gemacht
machen kommt kommen kam gab geben gibt gegeben links rechts unter oben wieder noch schon heute
gestern
wurde wurden worden sein seine seiner ihre ihrer ihren sei habe hatte hatten konnte konnten kann
konnen muss mussen soll sollen sollte darf durfen dass damit dabei dort hier nun jetzt erst nur
auch
universitat schule krankenhaus zentrum strasse haus markt preis preise aktien bank wirtschaft
experten
forscher studie daten parlament abgeordnete abgeordneten gesetz haushalt steuer geld stellen
industrie
kunden nutzer norden suden osten westen kuste grenze insel fluss bahn zug
"""

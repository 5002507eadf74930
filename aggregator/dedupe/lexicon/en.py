"""English."""

KINDS = """
death: killed kills killing. dead. deadly die. dies. died. dying. death deaths fatal toll.
  victims bodies
injury: injur wounded hurt. hospitalised hospitalized
blast: explosion explod blast detonat bomb. bombing
fire: fire. fires. blaze flames burn wildfire inferno
quake: quake earthquake tremor magnitude seismic
flood: flood inundat deluge
storm: storm hurricane cyclone typhoon tornado gale gusts
crash: crash collision collid derail rammed ploughed wreck capsiz sank. sink. sinks. aground
attack: attack shooting shot. shoots gunman gunmen gunfire stabb knife assault raid
arrest: arrest detain captur custody nabbed caught.
charge: charged. charges. indict prosecut accus
convict: jailed jail. sentenc convict guilty prison imprison
acquit: acquit cleared. exonerat
trial: trial. tribunal hearing
resign: resign quits. quit. stepping stepped steps. ousted stands.
appoint: appoint named. names. nominat successor
elect: elected election ballot vote. votes. voters runoff poll. polls. re-elect
strike: strike. strikes. striking. walkout walked. stoppage
protest: protest demonstrat rally. rallies march. marched
jobcut: layoff laid. slash eliminate. jobless redundan shed. axe. axes. lay-off
hire: hire. hires. hiring. recruit creates. create.
buy: buy. buys. buying. acquir takeover purchase merger merge. bought. bid.
sell: sell. sells. sold. selling. divest
launch: launch unveil release. releases. released. debut introduc rolls.
postpone: postpon delay deferred put.off
cancel: cancel scrap. scraps. scrapped. abandon. abandons. abandoned. called.off drops. drop.
  withdraws
approve: approv adopt passes. passed. pass. backs. backed. endors ratif greenlight
reject: reject voted.down veto refus dismiss turned.down turns.down
sign: sign. signs. signed. treaty accord. pact agreement agrees. agreed. deal.
breakdown: collapse collapses. collapsed. break.off broke. breaks. stall fail. fails. failed.
raise: raise raises. raised. rise. rises. rose. hike increas surge soar jump climb lift lifts.
  higher. up.
lower: cut. cuts. lower. lowers. lowered. fall. falls. fell. drop. drops. dropp declin slump
  plung reduc slid
profit: profit earnings revenue turnover
loss: loss. losses. deficit
record: record. records.
win: win. wins. won. winning beat. beats. defeat victory triumph thrash title. champion clinch
lose: lose. loses. lost.
draw: draw. draws. drew. tie. tied. stalemate
land: land. lands. landed. landing touches.down touched.down touchdown
discover: discover found. finds. unearth detect uncover
open: open. opens. opened. opening inaugurat reopen
close: close. closes. closed. closing closure shut. shuts. shutdown
begin: begin. begins. began. start. starts. started. kick.off
end: end. ends. ended. ending finish conclud
sue: sue. sues. sued. lawsuit
fine: fine. fined. fines. penalty
ban: ban. bans. banned. prohibit outlaw
allow: allow legalis legaliz permit. permits. permitted.
evacuate: evacuat
rescue: rescue survivor saved.
missing: missing. vanish disappear
ceasefire: ceasefire truce
talks: talks. negotiat summit
recall: recall
hack: hack breach cyberattack ransomware
outage: outage blackout
award: award prize. laureate honour
transfer: transfer. signing
free: freed. frees. releas hostage
return: return comeback
snow: snow
heat: heat. heatwave
drought: drought
birth: birth. born. cub.
"""
AHEAD = """
expected.to set.to ahead. preview tomorrow prepares prepare. preparing upcoming braces brace. awaits
await. looms countdown counts.down count.down readies gears.up gear.up go.to goes.to heads.to
head.to to.decide to.vote to.attempt to.try to.face to.meet to.hold to.play will.try will.decide
will.vote will.attempt will.face will.meet hopes.to hope.to hoping aims.to aim.to likely.to
scheduled shortlist chase. chases. chasing to.learn
shortlisted
"""
PLANNED = """
will. plans. could. faces. hopes. seeks. due. choose. chooses. decide. decides. host. hosts. aim.
aims. bid. bids. hope. to.be is.to are.to expected
favourite favorite doubt doubtful forecast eyes.
"""
GENRES = """
correction: correction clarification
opinion: opinion editorial column. comment. commentary op-ed essay viewpoint letters
review: review. reviews. reviewed.
preview: preview previews to.watch guide.
analysis: analysis explainer explained. explains. why. how. timeline factbox we.know
  profile. q&a
roundup: roundup round-up briefing newsletter digest. headlines podcast week.in. photos.
  pictures. gallery watch. video. live. obituary interview. quiz recipe
"""
DAYS = "monday tuesday wednesday thursday friday saturday sunday"
MONTHS = "january february march april june july august september october november december"
NUMBERS = """
one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12
thirteen=13
fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30
forty=40
fifty=50 sixty=60 seventy=70 eighty=80 ninety=90 dozen=12 hundred=*100 thousand=*1000
million=*1000000
billion=*1000000000 bn=*1000000000 trillion=*1000000000000 twice=2 decade=10 first=1 second=2
third=3
fourth=4 fifth=5 sixth=6 seventh=7 eighth=8 ninth=9 tenth=10
"""
COMMON = """
said say says told announced announce reported report people year years month months week weeks
day
days hour hours morning afternoon evening night government minister ministry president country
city
town state national local police officials official officers authorities company companies group
world
international region regional council court judge party leader members team club season home
time last
next former early late later around about some least most many much also only since until while
during
against between according because other another each three two one first second third percent
per cent
dollars euros pounds million billion thousand hundred new old big high long major public news
service
statement spokesman spokeswoman spokesperson ministers man men woman women child children
residents
workers staff system number part end area place plan plans work made make take took taken come
came
gave give given left right called call set put get got under out off down back near more than
would
must should being its it's were their they them who which where when there here still already
again
today yesterday tonight agency expected including several following before after across among
university school hospital centre center street road house market prices price shares bank economy
experts scientists researchers study data research match game final minute points goal goals coach
players player fans half cup league race chief head board union talks vote parliament lawmakers
election candidate victory law bill budget tax money spending pay jobs industry business customers
users software version device devices phone app online internet site power water air sea island
river
north south east west northern southern eastern western coast border
"""

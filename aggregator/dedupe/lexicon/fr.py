"""French."""

KINDS = """
death: mort. morts. morte. meurt tue. tues. tuee. deces decede mortel victimes bilan.
  perdu.la.vie cadavre
injury: blesse
blast: explosion explos detonation bombe attentat
fire: incendie feu. feux. flammes brule
quake: seisme tremblement secousse magnitude
flood: inond crue. crues.
storm: tempete ouragan cyclone rafales tornade
crash: accident collision derail percute ecrase crash naufrage echou heurt
attack: attaque fusillade tireur poignard coups.de.feu agress attentat couteau
arrest: arrete. arretes. arretee interpell arrestation garde.a.vue capture
charge: inculp mis.en.examen accus poursuivi
convict: condamn prison coupable peine
acquit: acquitt relax innocente
trial: proces audience
resign: demission quitte le.depart
appoint: nomme. nommee nomination succede
elect: elu. elue. election scrutin second.tour presidentielle vote. votent
strike: greve debrayage cessent.le.travail
protest: manifest protest rassemblement
jobcut: licenci suppression supprime. supprimer
hire: embauch recrut
buy: achat. achete rachat rachete acquisition acquiert fusion commande
sell: vend. vendre vente cede.
launch: lance. lancement devoile presente. present
postpone: report. reporte retard ajourn
cancel: annul abandonn renonce
approve: approuv adopte adoption vote. feu.vert valide ratifi
reject: rejet refus repouss
sign: signe. signent signature accord. traite. entente
breakdown: echec rupture echouent
raise: hausse augment releve. bondi progress grimpe
lower: baisse. baissent recul chute. diminu reduit
profit: benefice profit chiffre.d'affaires resultats
loss: perte
record: record
win: gagne remport victoire bat. battu vainqueur triomph s'impos sacre. titre.
lose: perd. perdu. defaite s'incline
draw: match.nul partage
land: atterri. pose. poser alunit
discover: decouv trouve.
open: ouvre. ouvert ouverture inaugur rouvr
close: ferme. fermeture ferment fermee
begin: commenc debut. debute demarr coup.d'envoi
end: fin. termine. acheve prend.fin
sue: plainte. porte.plainte poursuit
fine: amende
ban: interdi interdiction
allow: autoris legalis permet
evacuate: evacu
rescue: sauv. sauve secour
missing: disparu disparition
ceasefire: cessez-le-feu treve
talks: negoci pourparlers sommet discussions
recall: rappel
hack: pirat cyberattaque
outage: panne coupure
award: prix. recompens laureat
transfer: transfert recrue
free: libere liberation otage
return: retour
snow: neige
heat: canicule chaleur
drought: secheresse
birth: naissance nait.
"""
AHEAD = """
demain. attendu bientot prepare affronte. affrontera tentera tenteront espere.que elisent departage
jouera joueront recoit. recevra avant-match aux.urnes decideront votent. voteront
"""
PLANNED = """
sera. seront. doit. doivent. avant. prochain. prochaine prevu devrait pourrait veut. espere esperent
vise. visent. pourraient devraient vote.
favori sondage prete pret. prets. rebours reve. revent. entend. souhaite
"""
GENRES = """
correction: rectificatif correctif
opinion: opinion tribune editorial edito chronique. de.vue billet.
review: critique.
preview: avant-match presentation.
analysis: analyse. decryptage pourquoi. comment. portrait explique
roundup: en.direct direct. de.presse podcast video. photos. newsletter essentiel
  interview. entretien quiz recette
"""
DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche"
MONTHS = "janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre"
NUMBERS = """
un=1 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13
quatorze=14 quinze=15 seize=16 vingt=20 trente=30 quarante=40 cinquante=50 soixante=60 cent=*100
cents=*100 mille=*1000 million=*1000000 millions=*1000000 milliard=*1000000000
milliards=*1000000000
dizaine=10 douzaine=12 quinzaine=15 vingtaine=20 trentaine=30 centaine=100 premier=1 premiere=1
deuxieme=2 troisieme=3
"""
COMMON = """
dit declare annonce annoncee annoncent indique indiquent selon personnes gens annee annees ans
mois
semaine semaines jour jours heure heures matin soir nuit apres-midi gouvernement ministre
ministere
president presidente pays ville villes etat national nationale local police autorites porte-parole
entreprise societe groupe monde international region conseil tribunal juge parti chef dirigeant
membres
equipe club saison match joueurs joueur entraineur minute points but buts temps dernier derniere
derniers prochain prochaine ancien ancienne environ pres moins plusieurs tous toutes tout depuis
jusqu pendant contre entre cause autre autres chaque premier premiere deux trois pour cent euros
dollars millions milliards mille nouveau nouvelle nouveaux grand grande longue public publique
nouvelles agence homme hommes femme femmes enfant enfants habitants salaries ouvriers systeme
nombre
partie zone lieu plan travail fait faire faites prend pris vient venu donne gauche droite sous
hors
bas haut encore deja aujourd'hui hier alors ainsi aussi leur leurs elle elles ils lui meme etait
etaient avait avaient peut peuvent doit doivent cette ces celle celui dont tres plus moins bien
sans
universite ecole hopital centre rue maison marche prix actions banque economie experts
scientifiques
chercheurs etude donnees parlement deputes loi budget impot argent emplois industrie clients
nord sud
est ouest cote frontiere ile riviere appareils lors quand afin notamment
"""

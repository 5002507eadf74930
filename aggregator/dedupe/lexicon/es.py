"""Spanish."""

KINDS = """
death: muert muere. mueren murio falleci fallece victimas mortal cadaver cuerpos matan mata.
  asesin
injury: herid lesion
blast: explosion explot estall bomba detona
fire: incendio fuego llamas quem arde.
quake: terremoto sismo seismo temblor magnitud
flood: inunda riada crecida
storm: tormenta huracan temporal ciclon rachas vendaval borrasca
crash: accidente choque. choca colision descarril estrell naufrag encall vuelc
attack: ataque tiroteo atentado dispar apunala asalto cuchillo
arrest: detenid detien detencion arrest captur cae.
charge: acusa imput procesa
convict: conden prision carcel culpable sentencia
acquit: absuel absolv
trial: juicio audiencia
resign: dimit dimision renunci deja.el.cargo
appoint: nombra nombrad designa sucede
elect: elegid eleccion comicios segunda.vuelta balotaje votacion urnas
strike: huelga paro. paros.
protest: protest manifest marcha. concentracion
jobcut: despid despido recort suprim
hire: contrata contratar
buy: compra. compran comprar adquier adquisicion fusion adquiri encarg
sell: vende. vender venta.
launch: lanza lanzamiento presenta. estrena desvela
postpone: aplaza pospone retras posterg
cancel: cancel suspend anula
approve: aprueb aprob luz.verde respald ratific
reject: rechaz tumb veta
sign: firma firman acuerdo. tratado pacto pacta
breakdown: fracas rompe. rotas
raise: sube. suben subir subida aument alza. eleva incremento dispara
lower: baja. bajan bajada caida. reduc descen recorta desplom
profit: beneficio ganancia ingresos
loss: perdida
record: record
win: gana. ganan gano. vence. vencio derrota. victoria triunf golea campeon titulo. conquista
lose: pierde perdio
draw: empat
land: aterriz posa. aluniz
discover: descubr halla hallazgo encuentr
open: abre. abren abrio apertura inaugur reabre
close: cierra cierre cerrad clausur
begin: comienz empiez inici arranc
end: fin. termin finaliz acaba conclu
sue: demanda. demandan querella
fine: multa
ban: prohib veto.
allow: permit autoriz legaliz
evacuate: evacu desaloj
rescue: rescat salv
missing: desaparec
ceasefire: alto.el.fuego tregua
talks: negocia dialogo cumbre conversaciones
recall: retirada llamada.a.revision
hack: hacker ciberataque
outage: apagon corte.
award: premi galard
transfer: ficha. fichaje traspas
free: liber rehen
return: regres vuelve
snow: nieve neva
heat: calor.
drought: sequia
birth: nace. nacio nacim
"""
AHEAD = """
manana. previa jugara juegan. disputan. ultima. ultiman. intentara intentaran preve previst eligen.
optan. votara votaran decidira decidiran
"""
PLANNED = """
sera. seran. va. van. espera. esperan proxim enfrenta podria debera quiere buscara visita. recibe
buscan. podrian pueden. decide. deciden. elige. opta.
favorit sondeo encuesta duda. esperan. cuenta.atras aspira
"""
GENRES = """
correction: correccion. rectificacion de.errores
opinion: opinion editorial columna tribuna carta.
review: critica. resena
preview: previa
analysis: analisis claves por.que. como. perfil explica
roundup: en.directo directo. resumen podcast video. fotos. boletin entrevista quiz receta
  titulares
"""
DAYS = "lunes martes miercoles jueves viernes sabado domingo"
MONTHS = """
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
"""
NUMBERS = """
uno=1 una=1 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 once=11 doce=12
trece=13 catorce=14 quince=15 dieciseis=16 diecisiete=17 dieciocho=18 diecinueve=19 veinte=20
treinta=30 cuarenta=40 cincuenta=50 sesenta=60 setenta=70 ochenta=80 noventa=90 cien=100
ciento=100 cientos=*100 mil=*1000 miles=*1000 millon=*1000000 millones=*1000000 docena=12
decena=10
veintena=20 primer=1 primera=1 segunda=2 tercera=3
"""
COMMON = """
dijo dice dijeron informo informaron anuncio anunciaron segun personas gente ano anos mes meses
semana
semanas dia dias hora horas tarde noche madrugada gobierno ministro ministra ministerio presidente
presidenta pais ciudad estado nacional local policia autoridades portavoz empresa compania grupo
mundo
internacional region consejo tribunal juez partido jefe lider miembros equipo club temporada
jugadores
jugador entrenador minuto puntos gol goles tiempo ultimo ultima ultimos proximo proxima antiguo ex
alrededor cerca menos varios todos todas todo desde hasta durante contra entre debido otro otra
otros
cada primer primera dos tres ciento euros dolares millones mil nuevo nueva nuevos gran grande
largo
publico publica noticias agencia hombre hombres mujer mujeres nino ninos vecinos trabajadores
sistema
numero parte zona lugar plan trabajo hecho hacer toma viene dado izquierda derecha bajo fuera
arriba
aun ya hoy ayer asi tambien su sus ella ellos esta este estos estas era eran habia puede pueden
debe
deben muy mas menos bien sin tras cuando donde quien universidad escuela hospital centro calle
casa
mercado precio precios acciones banco economia expertos cientificos investigadores estudio datos
parlamento congreso diputados ley presupuesto impuesto dinero empleos industria clientes norte sur
este oeste costa frontera isla rio jueves partido encuentro
"""

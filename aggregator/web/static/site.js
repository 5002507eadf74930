// Optional: every page works without this script.
"use strict";

// --- new entries: checks each minute and shows a bar, without moving the page

const root = new URL("..", document.currentScript.src); // the site may be below a path
const newest = document.body.dataset.newest;
const bar = document.getElementById("news");
const words = JSON.parse(document.body.dataset.words); // in the language of the interface
let tag = null;

async function checkForNew() {
  if (document.hidden) return;
  const headers = tag ? { "If-None-Match": tag } : {};
  try {
    const response = await fetch(new URL(`news.json?since=${newest}`, root), { headers, cache: "no-store" });
    if (response.status !== 200) return;
    tag = response.headers.get("ETag");
    const { new: count, text } = await response.json();
    if (!count) return;
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = text;
    bar.replaceChildren(link);
    bar.hidden = false;
  } catch {
    // offline: the next check tries again
  }
}

if (newest) {
  setInterval(checkForNew, Number(document.body.dataset.every || 60000));
  document.addEventListener("visibilitychange", checkForNew);
}

// --- times: in the reader's time zone in lists where that does not change the layout; in GMT on paper

const paper = matchMedia("print");
const language = words.language.replace(/^en$/, "en-GB");
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayOf = (at, year) => new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year }).format(at);

// The day is written where the page writes it, and where it differs from the day in GMT.
function localTime({ original, at, iso }) {
  if (paper.matches) return original;
  const local = new Date(at);
  const date = [local.getFullYear(), local.getMonth() + 1, local.getDate()].join("-");
  const isSameDay = date === iso.slice(0, 10).split("-").map(Number).join("-");
  const hasDay = !/^\d\d:\d\d/.test(original);
  if (!hasDay && isSameDay) return clock.format(at);
  const day = dayOf(at, /\d{4}/.test(original) ? "numeric" : undefined);
  return words.time.replace("{day}", day).replace("{time}", clock.format(at));
}

// --- ages, in tables that change each minute

const relative = new Intl.RelativeTimeFormat(language);

function age({ original, at }) {
  const minutes = Math.floor((Date.now() - at) / 60000);
  if (paper.matches || minutes < 0 || minutes >= 24 * 60) return original;
  if (minutes === 0) return words.now;
  return minutes < 60 ? relative.format(-minutes, "minute") : relative.format(-Math.floor(minutes / 60), "hour");
}

function timesOf(selector, text) {
  return [...document.querySelectorAll(selector)].map((element) => ({
    element, text, original: element.textContent, at: Date.parse(element.dateTime), iso: element.dateTime,
  }));
}

const ages = timesOf("time.ago", age);
const times = [...timesOf("time.local", localTime), ...ages];

function showTimes(shown) {
  const height = ({ element }) => (element.closest("p, li, td, dd") || element).offsetHeight;
  const heights = shown.map(height);
  for (const time of shown) time.element.textContent = time.text(time);
  const listOf = ({ element }) => element.closest("ol, section, main");
  const moved = new Set(shown.filter((time, n) => height(time) !== heights[n]).map(listOf));
  for (const time of shown) if (moved.has(listOf(time))) time.element.textContent = time.original;
}

if (times.length) {
  showTimes(times);
  if (ages.length) setInterval(() => showTimes(ages), 60000);
  paper.addEventListener("change", () => showTimes(times));
}

// --- colours: the switch chooses the other scheme; choosing the system's own follows it again

const system = matchMedia("(prefers-color-scheme: dark)");
const switches = [...document.querySelectorAll("[data-theme-switch]")];
const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";

function showTheme() {
  for (const button of switches) button.setAttribute("aria-pressed", String(isDark()));
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  const isSystems = (theme === "dark") === system.matches;
  setTheme(isSystems ? "" : theme);
  try {
    if (isSystems) localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // storage is off: it holds for this page
  }
  showTheme();
}

for (const button of switches) button.addEventListener("click", switchTheme);
system.addEventListener("change", showTheme);
showTheme();

// --- menu: a click elsewhere and Escape close it; the current section is scrolled into view

const menu = document.querySelector(".menu");
document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
const current = document.querySelector(".sections [aria-current]");
if (current) {
  const row = current.closest("ul");
  row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}

// --- keyboard: `?` lists the keys

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
}

function focusSearch() {
  const field = ["find", "q"].map((id) => document.getElementById(id)).find((input) => input && input.offsetWidth);
  if (field) field.focus();
  else follow("a.icon");
}

function step(by) {
  const links = [...document.querySelectorAll("main a.headline")].filter((link) => link.offsetWidth);
  const at = links.indexOf(document.activeElement);
  const link = links[Math.min(Math.max(at + by, 0), links.length - 1)];
  if (!link) return;
  link.focus();
  link.scrollIntoView({ block: "center" });
}

// To the story or the page of a list beside this one; pages that have none move through their headlines.
function turn(rel, by) {
  if (document.querySelector("main a[rel=next], main a[rel=prev]")) follow(`main a[rel=${rel}]`);
  else step(by);
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: () => { if (document.activeElement.matches("a.headline")) document.activeElement.click(); },
  v: () => follow(".original a"),
  n: () => turn("next", 1),
  p: () => turn("prev", -1),
  h: () => follow(".masthead .name a"),
  d: switchTheme,
  "/": focusSearch,
  "?": () => document.getElementById("shortcuts").showModal(),
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, [contenteditable], dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !(Object.hasOwn(keys, event.key))) return;
  event.preventDefault();
  keys[event.key]();
});

// --- code and tables wider than the page can be scrolled by keyboard

for (const box of document.querySelectorAll(".content pre, .content table")) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}

// --- pictures that can't be loaded leave no frame

function dropFrame(image) {
  const frame = image.closest("figure.picture, .frame");
  if (frame) frame.hidden = true;
}

document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) dropFrame(event.target);
}, true);
for (const image of document.querySelectorAll(".frame img, .whole img")) {
  if (image.complete && image.currentSrc && !image.naturalWidth) dropFrame(image);
}

// --- player: 30 seconds back and on, and the speed

for (const player of document.querySelectorAll(".player")) {
  const media = player.closest(".clip").querySelector("audio, video");
  for (const button of player.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => {
      const end = Number.isFinite(media.duration) ? media.duration : Infinity;
      media.currentTime = Math.min(Math.max(media.currentTime + Number(button.dataset.skip), 0), end);
    });
  }
  const speed = player.querySelector("select");
  speed.addEventListener("change", () => {
    media.defaultPlaybackRate = media.playbackRate = Number(speed.value);
  });
}

// --- share, and copy an address

for (const button of document.querySelectorAll("button.share")) {
  if (!navigator.share) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.share({ title: document.title, url: button.dataset.url });
    } catch {
      // the reader closed the dialog
    }
  });
}

for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = words.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

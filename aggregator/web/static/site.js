// Optional: every page works without this script.
"use strict";

// --- new entries: checks each minute and shows a bar, without moving the page

const root = new URL("..", document.currentScript.src); // the site may be below a path
const newest = document.body.dataset.newest;
const bar = document.getElementById("news");
let tag = null;

async function checkForNew() {
  if (document.hidden) return;
  const headers = tag ? { "If-None-Match": tag } : {};
  try {
    const response = await fetch(new URL(`news.json?since=${newest}`, root), { headers, cache: "no-store" });
    if (response.status !== 200) return;
    tag = response.headers.get("ETag");
    const { new: count } = await response.json();
    if (!count) return;
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = count === 1 ? "1 new entry" : `${count >= 100 ? "100 or more" : count} new entries`;
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

// --- times: shown as an age where that does not change the layout; unchanged on paper

const paper = matchMedia("print");
const relative = new Intl.RelativeTimeFormat("en");
const times = [...document.querySelectorAll("time.ago")].map((element) => ({
  element, original: element.textContent, at: Date.parse(element.dateTime),
}));

function age(at) {
  const minutes = Math.floor((Date.now() - at) / 60000);
  if (paper.matches || minutes < 0 || minutes >= 24 * 60) return "";
  if (minutes === 0) return "just now";
  return minutes < 60 ? relative.format(-minutes, "minute") : relative.format(-Math.floor(minutes / 60), "hour");
}

function showAges() {
  const heights = times.map(({ element }) => element.parentElement.offsetHeight);
  for (const { element, original, at } of times) element.textContent = age(at) || original;
  const moved = times.filter(({ element }, n) => element.parentElement.offsetHeight !== heights[n]);
  for (const { element, original } of moved) element.textContent = original;
}

if (times.length) {
  showAges();
  setInterval(showAges, 60000);
  paper.addEventListener("change", showAges);
}

// --- keyboard: j and k go to the next and previous entry, o opens it, / searches

document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, select, textarea, [contenteditable]");
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...document.querySelectorAll("a.headline")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "j" || event.key === "k") {
    const next = event.key === "j" ? at + 1 : at < 0 ? 0 : at - 1;
    const link = links[Math.min(Math.max(next, 0), links.length - 1)];
    if (!link) return;
    link.focus();
    link.scrollIntoView({ block: "center" });
  } else if (event.key === "o" && at >= 0) {
    links[at].click();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find").focus();
  }
});

// --- content wider than the screen can be scrolled by keyboard

const content = document.querySelector(".full .content");
if (content && content.scrollWidth > content.clientWidth) content.tabIndex = 0;

// --- copy the address of a feed

for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

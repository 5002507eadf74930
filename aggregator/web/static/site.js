// Comfort only: every page works without it.
"use strict";

// --- news: asks each minute whether there is more, and says so without moving the page

const newest = document.body.dataset.newest;
const bar = document.getElementById("news");
let tag = null;

async function askForNews() {
  if (document.hidden) return;
  const headers = tag ? { "If-None-Match": tag } : {};
  try {
    const answer = await fetch(`/news.json?since=${newest}`, { headers, cache: "no-store" });
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag");
    const { new: count } = await answer.json();
    if (!count) return;
    const link = document.createElement("a");
    link.href = location.pathname;
    link.textContent = count === 1 ? "1 new story" : `${count >= 100 ? "100 or more" : count} new stories`;
    bar.replaceChildren(link);
    bar.hidden = false;
  } catch {
    // offline; the next minute tries again
  }
}

if (newest) {
  setInterval(askForNews, Number(document.body.dataset.every || 60000));
  document.addEventListener("visibilitychange", askForNews);
}

// --- times: how long ago, where nothing else moves for it; on paper as the page has them

const paper = matchMedia("print");
const phrases = new Intl.RelativeTimeFormat("en");
const times = [...document.querySelectorAll("time.ago")].map((element) => ({
  element, written: element.textContent, at: Date.parse(element.dateTime),
}));

function howLongAgo(at) {
  const minutes = Math.floor((Date.now() - at) / 60000);
  if (paper.matches || minutes < 0 || minutes >= 24 * 60) return "";
  if (minutes === 0) return "just now";
  return minutes < 60 ? phrases.format(-minutes, "minute") : phrases.format(-Math.floor(minutes / 60), "hour");
}

function tellTimes() {
  const heights = times.map(({ element }) => element.parentElement.offsetHeight);
  for (const { element, written, at } of times) element.textContent = howLongAgo(at) || written;
  const moved = times.filter(({ element }, n) => element.parentElement.offsetHeight !== heights[n]);
  for (const { element, written } of moved) element.textContent = written;
}

if (times.length) {
  tellTimes();
  setInterval(tellTimes, 60000);
  paper.addEventListener("change", tellTimes);
}

// --- keyboard: j and k go to stories, o opens, / searches

document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, select, textarea, [contenteditable]");
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  const stories = [...document.querySelectorAll("a.story")];
  const at = stories.indexOf(document.activeElement);
  if (event.key === "j" || event.key === "k") {
    const next = event.key === "j" ? at + 1 : at < 0 ? 0 : at - 1;
    const story = stories[Math.min(Math.max(next, 0), stories.length - 1)];
    if (!story) return;
    story.focus();
    story.scrollIntoView({ block: "center" });
  } else if (event.key === "o" && at >= 0) {
    stories[at].click();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("find").focus();
  }
});

// --- a story wider than the screen is scrolled by keyboard too

const content = document.querySelector(".full .content");
if (content && content.scrollWidth > content.clientWidth) content.tabIndex = 0;

// --- copying a feed's address

for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const words = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

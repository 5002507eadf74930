// The search of a site of files: looks for the words in an index of headlines.
"use strict";

const site = new URL("..", document.currentScript.src);
const field = document.getElementById("q");
const note = document.getElementById("search-note");
const found = document.getElementById("found");
const MOST = 100;

// As the index of a server: without accents, and in one case.
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

async function load(name) {
  const response = await fetch(new URL(`search/${name}.json`, site));
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

function item([id, headline, source, day]) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.dateTime = time.textContent = day;
  const link = document.createElement("a");
  link.className = "headline";
  link.href = new URL(`entry/${id}/`, site);
  link.textContent = headline;
  const from = document.createElement("span");
  from.className = "from";
  from.textContent = source;
  for (const element of [link, from]) element.dir = "auto";
  line.append(time, " ", link, " ", from);
  return line;
}

async function search(text) {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (!words.length) return;
  note.hidden = false;
  note.textContent = note.dataset.searching;
  let count = 0;
  try {
    const { parts } = await load("index");
    for (const part of parts) {
      for (const entry of await load(part)) {
        const where = folded(`${entry[1]} ${entry[2]}`);
        if (count < MOST && words.every((word) => where.includes(word))) {
          found.append(item(entry));
          count += 1;
        }
      }
    }
    note.textContent = `${note.dataset.found} ${count}${count === MOST ? "+" : ""}`;
  } catch {
    note.textContent = note.dataset.failed;
  }
}

const asked = new URLSearchParams(location.search).get("q") || "";
for (const input of document.querySelectorAll("input[name=q]")) input.value = asked;
search(asked);

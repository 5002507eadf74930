// Runs before the page is drawn, so that a chosen colour scheme shows without a flash.
"use strict";
document.documentElement.dataset.scripts = "";

const frameColours = [...document.querySelectorAll('meta[name="theme-color"]')].map((meta) => ({
  meta, colour: meta.content, theme: meta.media.includes("dark") ? "dark" : "light",
}));

// Shows a scheme, light or dark, in the page and in the browser's frame; "" for the system's.
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const { meta, colour } of frameColours) {
    const chosen = frameColours.find((frame) => frame.theme === theme);
    meta.content = chosen ? chosen.colour : colour;
  }
}

try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") setTheme(theme);
} catch {
  // storage is off: the scheme of the system holds
}

// Runs before the page is drawn, so that a chosen colour scheme shows without a flash.
"use strict";
document.documentElement.dataset.scripts = "";
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is off: the scheme of the system holds
}

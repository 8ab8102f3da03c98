"use strict";
// How nodes are made. Texts become nodes by textContent alone, so none of them is ever read as HTML.

function el(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter(isThere));
  return node;
}

const isThere = (value) => value !== null && value !== undefined && value !== "";
const caption = (text) => el("p", { class: "caption", text });
const section = (title, ...children) => el("section", {}, el("h3", { text: title }), children);
const button = (name, onclick, text, more) => el("button", { type: "button", class: name, onclick, ...more }, text);
const bar = (percent) => el("span", { class: "share", style: `--share:${percent}%` });

/** A table. A head that begins with `#` is of numbers; of a row the first cell is its head; `isMarked` rows stand out. */
function table(kind, heads, rows, isMarked) {
  const classOf = (place) => (heads[place].startsWith("#") ? "n" : heads[place] ? "" : "wide");
  const head = heads.map((name, place) => el("th", { scope: "col", class: classOf(place), text: name.replace("#", "") }));
  const cell = (value, place) => el(place ? "td" : "th", { class: classOf(place), scope: place ? null : "row" }, value);
  const body = rows.map((row, place) => el("tr", { class: isMarked && isMarked(place) ? "won" : "" }, row.map(cell)));
  return el("div", { class: "scroll" }, el("table", { class: kind }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

/** Names with values, without those that have none. */
function pairs(list, kind) {
  const pair = ([name, value, look]) =>
    el("div", {}, el("dt", { text: name }), el("dd", { class: look || "" }, typeof value === "string" ? harmless(value) : value));
  return el("dl", { class: `facts ${kind || ""}` }, list.filter(([, value]) => isThere(value)).map(pair));
}

function details(title, ...children) {
  return el("details", { class: "declared" }, el("summary", { text: title }), children);
}

const many = (number) => number.toLocaleString("en");
const plural = (number, noun) => `${many(number)} ${noun}${number === 1 ? "" : "s"}`;
const isNumber = (value) => typeof value === "number";
const fixed = (value, digits) => (isNumber(value) ? value.toFixed(digits) : value ?? "");

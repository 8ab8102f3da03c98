"use strict";
// What is embedded, and how nodes are made. Texts become nodes by textContent alone, so none of them is ever read as HTML.

const data = JSON.parse(document.getElementById("data").textContent);
const STATUSES = ["answered", "unparsed", "truncated", "ambiguous", "empty"];
const ENDS = {
  stop: "ended by a stop string, which is cut off",
  eos: "ended by the model",
  length: "cut off at max_new_tokens",
  answered: "stopped as soon as it was answered",
  scored: "options were scored",
};
const state = { run: data.shown, sort: "", down: false, result: "", status: "", step: "", flip: "", search: "", at: 0, open: null, sample: 0, tried: null, visible: false, whole: false };

function el(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** What gives a character's place in a text as browsers count it, where one beyond U+FFFF is two. */
function placesIn(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const places = [0];
  for (const character of text) places.push(places[places.length - 1] + character.length);
  return (place) => places[Math.min(place, places.length - 1)];
}

const many = (number) => number.toLocaleString("en");
const plural = (number, noun) => `${many(number)} ${noun}${number === 1 ? "" : "s"}`;
const word = (number) => (number === undefined || number === null ? "" : data.words[number]);
const run = () => data.runs[state.run];

/** The examples of a run by their ids. */
const byId = data.runs.map((each) => new Map(each.examples.map((example) => [example.id, example])));

/** The same example in the first run, where the page compares with it. */
const base = (example) => (data.is_compared && state.run > 0 ? byId[0].get(example.id) : undefined);

/** What became of an example, in one word. */
function resultOf(example) {
  if (example.status !== "answered") return "no answer";
  if (example.score === null || example.score === undefined) return "no target";
  return example.score >= 1 ? "right" : example.score > 0 ? "partly" : "wrong";
}

const MARKS = { right: "✓", partly: "◐", wrong: "✗", "no answer": "∅", "no target": "" };

/** The steps at which an example's answers were found, or at which the chain stopped. */
function stepsOf(example) {
  const samples = example.samples.map((sample) => word(sample.step));
  return new Set(example.decided ? [word(example.decided.step), ...samples] : samples);
}

/** The statuses that the bar of the run counts for an example: what was decided, else those of its samples. */
const statusesOf = (example) => (example.decided ? [example.status] : example.samples.map((sample) => sample.status));

/** The texts that only some prompts have: what all of them share would be found in every example. */
const searched = data.runs.map((each) => {
  const lists = each.examples.map(textsOf);
  const counts = new Map();
  for (const texts of lists) for (const text of texts) counts.set(text, (counts.get(text) || 0) + 1);
  return lists.map((texts) => [...texts].filter((text) => lists.length < 3 || counts.get(text) < lists.length));
});

function textsOf(example) {
  const texts = new Set((example.fields || []).map(([, text]) => text));
  for (const sample of example.samples) {
    for (const call of [sample, ...(sample.stages || [])]) {
      if (call.text !== undefined) texts.add(call.text);
      const prompt = call.prompt === undefined ? [] : data.prompts[call.prompt];
      for (let place = 0; place < prompt.length; place += 2) texts.add(prompt[place]);
    }
  }
  return texts;
}

/** The numbers of the examples of the shown run in which a text is found, whatever its case. */
function found(text) {
  const wanted = text.toLowerCase();
  const has = data.texts.map((each) => each.toLowerCase().includes(wanted));
  return run().examples.map((example, place) =>
    [example.id, example.answer, example.target].some((each) => each && each.toLowerCase().includes(wanted)) ||
    searched[state.run][place].some((each) => has[each]));
}

// Prompts and completions as the model read and wrote them, with what they are made of and what was found in them.

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/** The text with a number in the place of each character that is not seen, or that would turn others around. */
function harmless(text) {
  return text.replace(CONTROLS, (one) => `⟨U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** The text as it is shown: white space made visible where that is asked for. */
function seen(text) {
  const safe = harmless(text);
  return state.visible ? safe.replace(/ /g, "·\u200b").replace(/\t/g, "⇥\t").replace(/\n/g, "⏎\n") : safe;
}

const classOf = (kind) => `k-${kind.replace(/[^a-z]+/g, "-")}`;
const PICTURED = ["instruction", "demonstrations", "query", "cue", "system", "chat template", "completion", "prompt"];

/** The kinds of stretches that some prompts have, each with its colour. */
function legend(prompts) {
  const kinds = new Set(prompts.flatMap((prompt) => data.prompts[prompt].filter((_, place) => place % 2).map((kind) => data.kinds[kind].kind)));
  kinds.delete("prompt"); // of a run that kept no parts
  const order = [...kinds].sort((a, b) => PICTURED.indexOf(a) - PICTURED.indexOf(b));
  return el("span", { class: "legend" }, order.map((kind) => el("span", { class: `key ${classOf(kind)}`, text: kind })));
}

function describe(kind) {
  const role = kind.role && !["text", "template"].includes(kind.role) ? ` (${kind.role})` : "";
  const place = kind.file ? `${kind.file}:${kind.line}` : "";
  return [`${kind.kind}${role}`, kind.example, place, kind.template].filter(Boolean).join(" · ");
}

/** The stretches of a prompt: text, its number, and its kind. */
function partsOf(number) {
  const prompt = data.prompts[number], parts = [];
  for (let place = 0; place < prompt.length; place += 2) parts.push({ number: prompt[place], text: data.texts[prompt[place]], kind: data.kinds[prompt[place + 1]] });
  return parts;
}

const isShown = (part) => part.kind.kind === "demonstrations";
const sizeOf = (parts) => parts.reduce((sum, part) => sum + part.text.length, 0);
const FOLDED = 1500; // characters of a prompt from which on its demonstrations are folded away, until they are asked for

/** A prompt, its stretches coloured. What the prompt of another run, `other`, has not is underlined. */
function promptNode(number, other) {
  const parts = partsOf(number), box = el("pre", { class: "text prompt", tabindex: "0", "aria-label": "the exact prompt" });
  const known = other === undefined ? null : new Set(partsOf(other).map((part) => part.number));
  const canFold = sizeOf(parts) > FOLDED && parts.some(isShown);
  let turn = 0;
  for (let place = 0; place < parts.length; place++) {
    const { text, kind } = parts[place];
    if (canFold && !state.whole && isShown(parts[place])) {
      const last = foldTo(parts, place);
      box.append(foldNode(parts.slice(place, last + 1), known), "\n");
      place = last;
      continue;
    }
    if (isShown(parts[place])) turn++;
    const other = isShown(parts[place]) && turn % 2 === 0 ? " other" : "", only = known && !known.has(parts[place].number) ? " only" : "";
    box.append(el("span", { class: classOf(kind.kind) + other + only, title: describe(kind), text: seen(text) }));
  }
  return el("div", { class: "block" },
    el("p", { class: "caption" }, legend([number]), known && parts.some((part) => !known.has(part.number)) ? el("span", { class: "only", text: "only in this run" }) : "", el("span", { text: plural(sizeOf(parts), "character") }),
      canFold && state.whole ? el("button", { type: "button", class: "link", onclick: () => fold(false), text: "fold demonstrations" }) : ""),
    box, parts.some((part) => part.kind.kind !== "prompt") ? madeOf(parts) : "");
}

/** The place of the last demonstration of a row of them, whatever a chat template writes between. */
function foldTo(parts, first) {
  let last = first;
  while (last + 1 < parts.length && (isShown(parts[last + 1]) || parts[last + 1].kind.kind === "chat template")) last++;
  while (!isShown(parts[last])) last--;
  return last;
}

function foldNode(hidden, known) {
  const num = new Set(hidden.filter(isShown).map((part) => part.kind.example)).size;
  const numOnly = known ? hidden.filter((part) => isShown(part) && !known.has(part.number)).length : 0;
  return el("button", { type: "button", class: `fold ${classOf("demonstrations")}`, onclick: () => fold(true), text: `⋯ ${plural(num, "demonstration")}${numOnly ? `, ${many(numOnly)} of them only in this run` : ""}, ${plural(sizeOf(hidden), "character")}: show` });
}

function fold(isWhole) {
  state.whole = isWhole;
  drawDetail();
}

/** A table of a prompt's stretches: what each is, how long, and the line or the row that it comes from. */
function madeOf(parts) {
  const cells = (part) => [part.kind.kind + (part.kind.role && !["text", "template"].includes(part.kind.role) ? ` (${part.kind.role})` : ""), part.kind.example || "", part.kind.file ? `${part.kind.file}:${part.kind.line}` : "", part.kind.template || ""];
  return el("details", { class: "declared" }, el("summary", { text: parts.length === 1 ? "1 part, and where it comes from" : `${plural(parts.length, "part")}, and where each comes from` }),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["part", "row shown", "line", "template", "characters"].map((name) => el("th", { scope: "col", class: name === "characters" ? "n" : "", text: name })))),
      el("tbody", {}, parts.map((part) => el("tr", {}, cells(part).map((cell, place) => (place ? el("td", { text: cell }) : el("td", {}, el("span", { class: `key ${classOf(part.kind.kind)}`, text: cell })))), el("td", { class: "n", text: many(part.text.length) })))))));
}

/** What is marked in a completion: [start, end, class, title], places as browsers count them. */
function marksOf(call, text, other) {
  const marks = [], at = placesIn(text);
  if (call.thinking && call.thinking[3]) marks.push([0, call.thinking[3], "thought", "thinking"]);
  const whole = (start, end) => text.slice(0, at(start)).trim() === "" && text.slice(at(end)).trim() === "";
  const ledger = call.ledger || [];
  if (state.tried !== null && ledger[state.tried]) {
    const [step, readStart, readEnd, start, end] = ledger[state.tried];
    if (!whole(readStart, readEnd)) marks.push([readStart, readEnd, "read", `read by ${data.steps[step][0]}`]);
    if (end !== undefined) marks.push([start, end, "found", `found by ${data.steps[step][0]}`]);
  } else {
    for (const [step, readStart, readEnd, start, end] of ledger) {
      const isOther = end !== undefined && !whole(start, end) && !(call.span && start === call.span[0] && end === call.span[1]);
      if (isOther) marks.push([start, end, "way", `found by ${data.steps[step][0]}`]);
      else if (end === undefined && !call.span && !whole(readStart, readEnd)) marks.push([readStart, readEnd, "stopped", `${data.steps[step][0]} found nothing here`]);
    }
  }
  for (const [name, , start, end] of call.captures || []) marks.push([start, end, "capture", name]);
  if (call.span) marks.push([...call.span, "answer", `the answer, by ${word(call.step)}`]);
  const places = marks.map(([start, end, ...rest]) => [at(start), at(end), ...rest]);
  return other === undefined || other === text ? places : [...places, differs(text, other)];
}

/** Where two texts part. */
function differs(text, other) {
  let place = 0;
  while (place < text.length && text[place] === other[place]) place++;
  return [place, Math.min(text.length, place + 1), "differs", "the first difference from the other run"];
}

/** A completion with its marks; where they overlap, a piece has the classes of all. */
function completionNode(call, other, label) {
  const text = data.texts[call.text], marks = marksOf(call, text, other);
  const places = [...new Set([0, text.length, ...marks.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
  const box = el("pre", { class: "text completion", tabindex: "0", "aria-label": label || "the completion" });
  for (let number = 0; number + 1 < places.length; number++) {
    const [start, end] = [places[number], places[number + 1]];
    const over = marks.filter((mark) => mark[0] <= start && end <= mark[1]);
    const piece = seen(text.slice(start, end));
    const isAnswer = over.some((mark) => mark[2] === "answer");
    box.append(over.length ? el(isAnswer ? "mark" : "span", { class: over.map((mark) => `m-${mark[2]}`).join(" "), title: over.map((mark) => mark[3]).join("\n"), text: piece }) : piece);
  }
  if (!text) box.append(el("em", { text: "nothing" }));
  return box;
}

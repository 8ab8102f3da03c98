// Prompts and completions as the model read and wrote them, with what they are made of and what was found in them.

const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
const KINDS = ["instruction", "demonstrations", "query", "cue", "system", "chat template", "completion"];
const FOLDED = 1500; // characters of a prompt from which on its demonstrations are folded away, until they are asked for

/** The text with a number in the place of each character that is not seen, or that would turn others around. */
function harmless(text) {
  return text.replace(UNSEEN, (one) => `⟨U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** The text as it is shown: white space made visible where that is asked for. */
function seen(text) {
  const safe = harmless(text);
  if (!state.visible) return safe;
  return safe.replace(/ /g, "·\u200b").replace(/\t/g, "⇥\t").replace(/\n/g, "⏎\n");
}

const classOf = (kind) => `k-${kind.replace(/[^a-z]+/g, "-")}`;

/** The stretches of a prompt: text, its number, and what it is. */
function partsOf(number) {
  const prompt = data.prompts[number];
  const parts = [];
  for (let place = 0; place < prompt.length; place += 2)
    parts.push({ number: prompt[place], text: data.texts[prompt[place]], ...data.kinds[prompt[place + 1]] });
  return parts;
}

const isShown = (part) => part.kind === "demonstrations";
const sizeOf = (parts) => parts.reduce((sum, part) => sum + part.text.length, 0);

/** A prompt, its stretches coloured. What the prompt of another run, `other`, has not is underlined. */
function promptNode(number, other) {
  const parts = partsOf(number);
  const known = other === undefined ? null : new Set(partsOf(other).map((part) => part.number));
  const isOnly = (part) => known !== null && !known.has(part.number);
  const canFold = sizeOf(parts) > FOLDED && parts.some(isShown);
  const box = el("pre", { class: "text prompt", tabindex: "0", "aria-label": "the exact prompt" });
  let turn = 0;
  for (let place = 0; place < parts.length; place++) {
    const part = parts[place];
    if (canFold && !state.whole && isShown(part)) {
      const last = foldTo(parts, place);
      box.append(foldNode(parts.slice(place, last + 1), isOnly), "\n");
      place = last;
      continue;
    }
    if (isShown(part)) turn++;
    box.append(stretch(part, isShown(part) && turn % 2 === 0, isOnly(part)));
  }
  const fold = canFold && state.whole ? button("link", () => unfold(false), "fold demonstrations") : "";
  const only = parts.some(isOnly) ? el("span", { class: "only", text: "only in this run" }) : "";
  const size = el("span", { text: plural(sizeOf(parts), "character") });
  return el("div", { class: "block" }, el("p", { class: "caption" }, legend(parts), only, size, fold), box, madeOf(parts));
}

/** A stretch of a prompt; every second demonstration has another shade. */
function stretch(part, isSecond, isOnly) {
  const look = `${classOf(part.kind)}${isSecond ? " other" : ""}${isOnly ? " only" : ""}`;
  const title = [roleOf(part), part.example, placeOf(part), part.template].filter(Boolean).join(" · ");
  return el("span", { class: look, title, text: seen(part.text) });
}

const roleOf = ({ kind, role }) => (role && !["text", "template"].includes(role) ? `${kind} (${role})` : kind);
const placeOf = ({ file, line }) => (file ? `${file}:${line}` : "");

/** The kinds of stretches in a prompt, each with its colour; none for a run that kept no parts. */
function legend(parts) {
  const kinds = [...new Set(parts.map((part) => part.kind))].filter((kind) => kind !== "prompt");
  kinds.sort((a, b) => KINDS.indexOf(a) - KINDS.indexOf(b));
  return el("span", { class: "legend" }, kinds.map((kind) => el("span", { class: `key ${classOf(kind)}`, text: kind })));
}

/** The place of the last demonstration of a row of them, whatever a chat template writes between. */
function foldTo(parts, first) {
  let last = first;
  while (last + 1 < parts.length && (isShown(parts[last + 1]) || parts[last + 1].kind === "chat template")) last++;
  while (!isShown(parts[last])) last--;
  return last;
}

function foldNode(hidden, isOnly) {
  const num = new Set(hidden.filter(isShown).map((part) => part.example)).size;
  const numOnly = hidden.filter((part) => isShown(part) && isOnly(part)).length;
  const only = numOnly ? `, ${many(numOnly)} of them only in this run` : "";
  const text = `⋯ ${plural(num, "demonstration")}${only}, ${plural(sizeOf(hidden), "character")}: show`;
  return button(`fold ${classOf("demonstrations")}`, () => unfold(true), text);
}

function unfold(isWhole) {
  state.whole = isWhole;
  drawDetail();
}

/** A table of a prompt's stretches: what each is, how long, and the line or the row that it comes from. */
function madeOf(parts) {
  if (parts.every((part) => part.kind === "prompt")) return "";
  const name = (part) => el("span", { class: `key ${classOf(part.kind)}`, text: roleOf(part) });
  const row = (part) => [name(part), part.example, placeOf(part), part.template, many(part.text.length)];
  const title = parts.length === 1 ? "1 part, and where it comes from" : `${many(parts.length)} parts, and where each comes from`;
  return details(title, table("parts", ["part", "row shown", "line", "template", "#characters"], parts.map(row)));
}

/** What is marked in a completion: [start, end, class, title], places as browsers count them. */
function marksOf(call, text, other) {
  const at = placesIn(text);
  const isAll = (start, end) => text.slice(0, at(start)).trim() === "" && text.slice(at(end)).trim() === "";
  const [, , , thoughtTo] = call.thinking || [];
  const marks = [
    ...(thoughtTo ? [[0, thoughtTo, "thought", "thinking"]] : []),
    ...stepMarks(call, isAll),
    ...(call.captures || []).map(([name, , start, end]) => [start, end, "capture", name]),
    ...(call.span ? [[...call.span, "answer", `the answer, by ${word(call.step)}`]] : []),
  ];
  const places = marks.map(([start, end, ...rest]) => [at(start), at(end), ...rest]);
  return other === undefined || other === text ? places : [...places, differs(text, other)];
}

/** What the chosen step read and found; where none is chosen, what steps found beside the answer, or where they stopped. */
function stepMarks(call, isAll) {
  const ledger = call.ledger || [];
  const chosen = state.tried === null ? undefined : ledger[state.tried];
  const marks = [];
  for (const [step, readStart, readEnd, start, end] of chosen ? [chosen] : ledger) {
    const name = data.steps[step][0];
    const isFound = end !== undefined;
    const isAnswer = call.span && start === call.span[0] && end === call.span[1];
    if (chosen && !isAll(readStart, readEnd)) marks.push([readStart, readEnd, "read", `read by ${name}`]);
    if (chosen && isFound) marks.push([start, end, "found", `found by ${name}`]);
    if (!chosen && isFound && !isAnswer && !isAll(start, end)) marks.push([start, end, "way", `found by ${name}`]);
    if (!chosen && !isFound && !call.span && !isAll(readStart, readEnd))
      marks.push([readStart, readEnd, "stopped", `${name} found nothing here`]);
  }
  return marks;
}

/** Where two texts part. */
function differs(text, other) {
  let place = 0;
  while (place < text.length && text[place] === other[place]) place++;
  return [place, Math.min(text.length, place + 1), "differs", "the first difference from the other run"];
}

/** A completion with its marks; where they overlap, a piece has the classes of all. */
function completionNode(call, other, label) {
  const text = data.texts[call.text];
  const marks = marksOf(call, text, other);
  const ends = new Set([0, text.length, ...marks.flatMap(([start, end]) => [start, end])]);
  const places = [...ends].sort((a, b) => a - b);
  const box = el("pre", { class: "text completion", tabindex: "0", "aria-label": label || "the completion" });
  for (let number = 0; number + 1 < places.length; number++) box.append(piece(text, places[number], places[number + 1], marks));
  if (!text) box.append(el("em", { text: "nothing" }));
  return box;
}

function piece(text, start, end, marks) {
  const over = marks.filter((mark) => mark[0] <= start && end <= mark[1]);
  const shownText = seen(text.slice(start, end));
  if (!over.length) return shownText;
  const tag = over.some((mark) => mark[2] === "answer") ? "mark" : "span";
  const title = over.map((mark) => mark[3]).join("\n");
  return el(tag, { class: over.map((mark) => `m-${mark[2]}`).join(" "), title, text: shownText });
}

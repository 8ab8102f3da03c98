// One example, opened: what was asked, what was written, and how the answer was found.

let detail;

function drawDetail() {
  document.body.classList.toggle("is-open", state.open !== null);
  if (state.open === null) return detail.replaceChildren(el("p", { class: "hint", text: "Choose an example to see its exact prompt, its completion, and how its answer was found." }));
  const example = byId[state.run].get(state.open);
  if (!example) return detail.replaceChildren(head(null), el("p", { class: "hint", text: `This run has no example ${state.open}.` }));
  const before = base(example);
  detail.replaceChildren(
    head(example), outcome(example, before),
    before ? sideBySide(before, example) : body(example),
    fieldsOf(example));
  markSearched();
}

/** Marks what is searched for in the texts of the example. */
function markSearched() {
  if (!window.Highlight) return;
  CSS.highlights.delete("searched");
  const wanted = state.search.toLowerCase(), ranges = [];
  if (!wanted) return;
  const walker = document.createTreeWalker(detail, NodeFilter.SHOW_TEXT, (node) => (node.parentElement.closest(".text, .fields, th, td") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP));
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.toLowerCase();
    if (text.length !== node.textContent.length) continue; // a letter whose small form is longer: places would be off
    for (let place = text.indexOf(wanted); place >= 0; place = text.indexOf(wanted, place + wanted.length)) {
      const range = new Range();
      range.setStart(node, place);
      range.setEnd(node, place + wanted.length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("searched", new Highlight(...ranges));
}

function head(example) {
  const button = (text, label, step) => el("button", { type: "button", class: "step", "aria-label": label, title: label, onclick: step, text });
  return el("div", { class: "title" },
    button("✕", "close", closeExample),
    el("h2", { text: harmless(state.open) }), example ? el("span", { class: "origin", text: example.origin }) : "",
    el("span", { class: "moves" },
      el("label", {}, el("input", { type: "checkbox", id: "visible", onchange: toggleSpace, ...(state.visible ? { checked: true } : {}) }), "white space"),
      button("↑", "previous", () => moveTo(state.at - 1)), button("↓", "next", () => moveTo(state.at + 1))));
}

function pairs(list, kind) {
  return el("dl", { class: `facts ${kind || ""}` }, list.filter(([, value]) => value !== "" && value !== null && value !== undefined).map(([name, value, kind]) =>
    el("div", {}, el("dt", { text: name }), el("dd", { class: kind || "" }, typeof value === "string" ? harmless(value) : value))));
}

/** Answer, target, scores; for a flip what was the first to differ. */
function outcome(example, before) {
  const result = resultOf(example);
  const scores = Object.entries((example.decided || example.samples[0]).scores || {});
  const how = example.flip ? `${flipNames(example.flip)[1]}, ${flipNames(example.flip)[2]}` : before ? "no" : "";
  return pairs([
    ["answer", example.status === "answered" ? el("strong", { text: harmless(example.answer || "") || "(empty)" }) : el("strong", { class: `s-${example.status}`, text: example.status })],
    ["target", example.target || "none"],
    ...scores.map(([name, value]) => [name, `${MARKS[value >= 1 ? "right" : value > 0 ? "partly" : "wrong"]} ${Number(value.toFixed(4))}`, `r-${value >= 1 ? "right" : "wrong"}`]),
    ["result", scores.length ? "" : result],
    ["flipped", how],
    ["right in", data.runs.length > 2 ? `${many(byId.filter((each) => each.has(example.id) && resultOf(each.get(example.id)) === "right").length)} of ${plural(byId.filter((each) => each.has(example.id)).length, "run")}` : ""],
    ["in run 1", before ? `${before.status === "answered" ? before.answer || "" : before.status} ${MARKS[resultOf(before)]}` : ""],
  ]);
}

/** Both runs of an example next to each other; a prompt that they share stands above both. */
function sideBySide(before, after) {
  const [one, other] = [before, after].map(sampleOf);
  const isShared = !one.stages && !other.stages && one.prompt === other.prompt;
  const side = (example, number, opposite) => el("div", { class: "side" }, el("h3", { text: `${data.runs[number].label}: ${example.status === "answered" ? harmless(example.answer || "") : example.status} ${MARKS[resultOf(example)]}` }), body(example, isShared, opposite));
  return el("div", {},
    isShared ? el("section", {}, el("h3", { text: "prompt, the same in both" }), promptNode(one.prompt), shownNotes(other)) : "",
    el("div", { class: "sides" }, side(before, 0, other), side(after, state.run, one)));
}

const sampleOf = (example) => example.samples[state.sample] || example.samples[0];

function body(example, isPromptShown, opposite) {
  return el("div", {}, votes(example), tabs(example), sampleNode(sampleOf(example), isPromptShown, opposite));
}

/** What each answer had of the votes. */
function votes(example) {
  if (!example.decided) return "";
  const list = example.decided.votes || [];
  const most = Math.max(...list.map(([, , weight]) => weight), 1e-9);
  return el("section", {}, el("h3", { text: "votes" }),
    list.length ? el("table", { class: "votes" },
      el("thead", {}, el("tr", {}, ["answer", "samples", "weight", ""].map((name) => el("th", { scope: "col", text: name })))),
      el("tbody", {}, list.map(([answer, num, weight]) => el("tr", { class: example.status === "answered" && answer === (example.answer || "") ? "won" : "" },
        el("th", { scope: "row", text: harmless(answer) }), el("td", { class: "n", text: String(num) }), el("td", { class: "n", text: String(Number(weight.toFixed(3))) }),
        el("td", { class: "wide" }, el("span", { class: "share", style: `--share:${100 * weight / most}%` })))))) : "",
    el("p", { class: "caption", text: `${word(example.decided.step)}${example.decided.reason === undefined ? "" : `: ${word(example.decided.reason)}`}` }));
}

/** A button for each sample. */
function tabs(example) {
  if (example.samples.length < 2) return "";
  return el("p", { class: "tabs", role: "group", "aria-label": "samples" }, example.samples.map((sample, place) =>
    el("button", { type: "button", class: `key s-${sample.status}`, "aria-pressed": String(place === Math.min(state.sample, example.samples.length - 1)), onclick: () => { state.sample = place; state.tried = null; drawDetail(); } },
      el("i"), `sample ${sample.number}: `, el("b", { text: sample.status === "answered" ? harmless(sample.answer || "") : sample.status }))));
}

function sampleNode(sample, isPromptShown, opposite) {
  const other = opposite && !opposite.stages ? opposite : {};
  if (sample.stages) return el("div", {}, sample.stages.map((call, place) => stageNode(sample, call, place)), readSection(sample));
  return el("div", {},
    isPromptShown ? "" : el("section", {}, el("h3", { text: "prompt" }), promptNode(sample.prompt, other.prompt), shownNotes(sample)),
    el("section", {}, el("h3", { text: sample.options ? "choice" : "completion" }), sample.options ? optionsNode(sample) : completionNode(sample, data.texts[other.text]), ending(sample)),
    readSection(sample));
}

/** One call of a stage; the answering one is marked as its row was read. */
function stageNode(sample, call, place) {
  const last = sample.stages.map((each) => each.stage).lastIndexOf(sample.stage);
  const isAnswer = place === last;
  const told = isAnswer ? { ...sample, ...call, options: sample.options || call.options } : call;
  const round = call.round === undefined ? "" : `, round ${call.round + 1}`;
  return el("section", { class: `stage${isAnswer ? " answers" : ""}` },
    el("h3", {}, `${place + 1}. ${call.stage}${round} `, el("span", { class: `status s-${call.status}` }, el("i"), call.status), isAnswer ? el("span", { class: "origin", text: call.status === "answered" ? "the answer is read from this" : "the answer would be read from this" }) : ""),
    call.continues ? el("p", { class: "caption", text: `goes on from all of ${call.continues} above, with:` }) : "",
    promptNode(call.prompt), shownNotes(call), el("h4", { text: told.options ? "choice" : "completion" }),
    told.options ? optionsNode(told) : completionNode(told, undefined, `the completion of ${call.stage}`), ending(call),
    isAnswer ? "" : pairs([["answer", (call.answer || "").trim() === data.texts[call.text].trim() ? "" : call.answer], ["why there is none", call.status === "answered" ? "" : `${word(call.step)}: ${word(call.reason)}`]], "notes"));
}

function ending(call) {
  const thinking = call.thinking ? `thinking ${call.thinking[0]}, ${plural(call.thinking[1], "token")}${call.thinking[2] ? `, ${call.thinking[2]} of them forced` : ""}` : "";
  const tokens = call.tokens && call.tokens[0] ? `${many(call.tokens[0])} prompt tokens, ${many(call.tokens[1])} new` : "";
  return el("p", { class: "caption ending" }, [ENDS[call.ended] || call.ended, thinking, tokens, call.stored ? "from the store" : "", call.log === undefined ? "" : `log-likelihood ${call.log}`].filter(Boolean).join(" · "));
}

/** What the prompt did not show, or showed under another label. */
function shownNotes(call) {
  const parsed = (name) => (call[name] === undefined ? [] : JSON.parse(word(call[name])));
  return pairs([
    ["left out", parsed("left_out").map((each) => `${each.id} (${each.why})`).join(", ")],
    ["dropped, to fit", parsed("dropped").join(", ")],
    ["relabelled", parsed("relabelled").map((each) => `${each.id} (${each.label} as ${each.shown})`).join(", ")],
  ], "notes");
}

/** Options with their scores; beside them what weighing changed. */
function optionsNode(call) {
  const options = call.options, chosen = data.texts[call.text];
  const isOther = options.some((option) => typeof option[3] === "number");
  const of = (option) => (isOther ? option[3] : option[1]);
  const known = options.map(of).filter((value) => typeof value === "number");
  const top = Math.max(...known), low = Math.min(...known);
  const share = (value) => (typeof value === "number" ? (top === low ? 100 : 8 + 92 * (value - low) / (top - low)) : 0);
  const number = (value) => (typeof value === "number" ? value.toFixed(3) : value ?? "");
  return el("div", { class: "scroll" }, el("table", { class: "options" },
    el("thead", {}, el("tr", {}, ["option", "tokens", "log-likelihood", ...(isOther ? ["as compared"] : []), ""].map((name) => el("th", { scope: "col", class: name === "option" ? "" : "n", text: name })))),
    el("tbody", {}, options.map((option) => {
      const text = data.texts[option[0]];
      return el("tr", { class: text === chosen ? "won" : "" }, el("th", { scope: "row", text: seen(text) }), el("td", { class: "n", text: String(option[2]) }), el("td", { class: "n", text: number(option[1]) }),
        isOther ? el("td", { class: "n", text: number(option[3]) }) : "", el("td", { class: "wide" }, el("span", { class: "share", style: `--share:${share(of(option))}%` })));
    }))), call.weighed ? weighedNode(call) : "");
}

function weighedNode(call) {
  const best = (place) => call.weighed.reduce((a, b) => ((b[place] ?? -1) > (a[place] ?? -1) ? b : a));
  const per = (value) => (typeof value === "number" ? `${(100 * value).toFixed(1)} %` : "");
  const hasBefore = call.weighed.some((each) => each[1] !== null);
  return el("div", {},
    el("table", { class: "options" },
      el("thead", {}, el("tr", {}, ["answer", ...(hasBefore ? ["before"] : []), "after weighing", ""].map((name) => el("th", { scope: "col", class: name === "answer" ? "" : "n", text: name })))),
      el("tbody", {}, call.weighed.map((each) => el("tr", { class: each === best(2) ? "won" : "" }, el("th", { scope: "row", text: harmless(each[0]) }),
        hasBefore ? el("td", { class: "n", text: per(each[1]) }) : "", el("td", { class: "n", text: per(each[2]) }), el("td", { class: "wide" }, el("span", { class: "share", style: `--share:${100 * (each[2] || 0)}%` })))))),
    hasBefore && best(1) !== best(2) ? el("p", { class: "caption", text: `weighing changed the answer from ${harmless(best(1)[0])} to ${harmless(best(2)[0])}` }) : "");
}

/** How the completion was read: a line for each step that was tried. */
function readSection(sample) {
  const text = data.texts[sample.text];
  const outcomeText = sample.status === "answered" ? "" : `${word(sample.step)}: ${word(sample.reason)}`;
  const at = placesIn(text);
  const ledger = (sample.ledger || []).map((entry, place) => {
    const [step, readStart, readEnd, start, end, value] = entry, [name, short, depth] = data.steps[step];
    const isFound = end !== undefined;
    const isText = value === null || value === undefined, isAll = isText && start === readStart && end === readEnd;
    const what = isAll ? el("span", { class: "origin", text: "all that it read" }) : isFound ? el("code", { class: "what", text: seen(isText ? text.slice(at(start), at(end)) : value) }) : el("span", { class: "nothing", text: word(start) || "nothing" });
    return el("tr", { class: state.tried === place ? "at" : "" },
      el("th", { scope: "row" }, el("button", { type: "button", class: "pick", title: name, style: `--depth:${depth}`, "aria-pressed": String(state.tried === place), onclick: () => { state.tried = state.tried === place ? null : place; drawDetail(); }, text: short })),
      el("td", { class: "n", text: `${readStart}-${readEnd}` }), el("td", { class: "n", text: isFound ? `${start}-${end}` : "" }), el("td", {}, what));
  });
  if (!ledger.length && !outcomeText) return "";
  return el("section", {}, el("h3", { text: "how it was read" }),
    outcomeText ? el("p", { class: `why s-${sample.status}` }, el("i"), el("b", { text: sample.status }), ` at ${outcomeText}`) : el("p", { class: "caption" }, `answered by ${word(sample.step)}`, sample.span ? `, at ${sample.span[0]}-${sample.span[1]}` : "", "; choose a step to see what it read"),
    ledger.length ? el("div", { class: "scroll" }, el("table", { class: "ledger" },
      el("thead", {}, el("tr", {}, ["step", "read", "found", "what, or why not"].map((name, place) => el("th", { scope: "col", class: place === 1 || place === 2 ? "n" : "", text: name })))),
      el("tbody", {}, ledger))) : "");
}

function fieldsOf(example) {
  if (!example.fields) return "";
  return el("details", { class: "declared" }, el("summary", { text: "the example's fields" }),
    el("dl", { class: "fields" }, example.fields.map(([name, text]) => el("div", {}, el("dt", { text: word(name) }), el("dd", { text: harmless(data.texts[text]) })))));
}

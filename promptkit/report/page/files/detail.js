// One example, opened: what was asked, and what was written.

let detail;
const HINT = "Choose an example to see its exact prompt, its completion, and how its answer was found.";

function drawDetail() {
  document.body.classList.toggle("is-open", state.open !== null);
  if (state.open === null) return detail.replaceChildren(el("p", { class: "hint", text: HINT }));
  const example = byId[state.run].get(state.open);
  const before = base(example);
  detail.replaceChildren(
    title(example),
    outcome(example, before),
    before ? sideBySide(before, example) : body(example),
    fieldsOf(example) || "",
  );
  markSearched();
}

function title(example) {
  const step = (text, label, onclick) => button("step", onclick, text, { "aria-label": label, title: label });
  const space = el("input", { type: "checkbox", id: "visible", onchange: toggleSpace, checked: state.visible });
  return el(
    "div",
    { class: "title" },
    step("✕", "close", closeExample),
    el("h2", { text: harmless(example.id) }),
    el("span", { class: "origin", text: example.origin }),
    el(
      "span",
      { class: "moves" },
      el("label", {}, space, "white space"),
      step("↑", "previous", () => moveTo(state.at - 1)),
      step("↓", "next", () => moveTo(state.at + 1)),
    ),
  );
}

/** The answer, or the status where there is none. */
const answerOf = (said) => harmless(said.status === "answered" ? said.answer || "(empty)" : said.status);
const verdict = (example) => `${answerOf(example)} ${MARKS[resultOf(example)]}`;

/** Answer, target, scores; of several runs how it came out in others, and for a flip what was the first to differ. */
function outcome(example, before) {
  const grade = (value) => (value >= 1 ? "right" : value > 0 ? "partly" : "wrong");
  const scores = Object.entries((example.decided || example.samples[0]).scores || {});
  const runs = byId.map((each) => each.get(example.id)).filter(isThere);
  const numRight = runs.filter((each) => resultOf(each) === "right").length;
  const status = example.status === "answered" ? "" : `s-${example.status}`;
  return pairs([
    ["answer", el("strong", { class: status, text: answerOf(example) })],
    ["target", example.target || "none"],
    ...scores.map(([name, value]) => [name, `${MARKS[grade(value)]} ${Number(value.toFixed(4))}`, `r-${grade(value)}`]),
    ["result", scores.length ? "" : resultOf(example)],
    ["flipped", example.flip ? flipNames(example.flip).slice(1).join(", ") : before ? "no" : ""],
    ["right in", data.runs.length > 2 ? `${many(numRight)} of ${plural(runs.length, "run")}` : ""],
    ["in run 1", before ? verdict(before) : ""],
  ]);
}

/** Both runs of an example next to each other; a prompt that they share stands above both. */
function sideBySide(before, after) {
  const [one, other] = [before, after].map(sampleOf);
  const isShared = !one.stages && !other.stages && one.prompt === other.prompt;
  const side = (example, number, opposite) => {
    const name = el("h3", { text: `${data.runs[number].label}: ${verdict(example)}` });
    return el("div", { class: "side" }, name, body(example, isShared, opposite));
  };
  return el(
    "div",
    {},
    isShared ? section("prompt, the same in both", promptNode(one.prompt), shownNotes(other)) : "",
    el("div", { class: "sides" }, side(before, 0, other), side(after, state.run, one)),
  );
}

/** The sample that is chosen; else the one whose answer was decided for, or the first. */
function sampleOf({ samples, decided }) {
  const chosen = state.sample ?? samples.findIndex((sample) => decided && sample.number === decided.sample);
  return samples[chosen] || samples[0];
}

function body(example, isPromptShown, opposite) {
  const sample = sampleOf(example);
  const parts = sample.stages
    ? sample.stages.map((call, place) => stageNode(sample, call, place))
    : callNodes(sample, isPromptShown, opposite && !opposite.stages ? opposite : {});
  return el("div", {}, votes(example), tabs(example), parts, readSection(sample));
}

/** What each answer had of the votes. */
function votes(example) {
  const { decided } = example;
  if (!decided) return "";
  const list = decided.votes || [];
  const most = Math.max(...list.map(([, , weight]) => weight), 1e-9);
  const rows = list.map(([answer, num, weight]) => [
    harmless(answer), String(num), String(Number(weight.toFixed(3))), bar((100 * weight) / most),
  ]);
  const isWon = (place) => example.status === "answered" && list[place][0] === (example.answer || "");
  const why = decided.reason === undefined ? "" : `: ${word(decided.reason)}`;
  return section(
    "votes",
    rows.length ? table("votes", ["answer", "#samples", "#weight", ""], rows, isWon) : "",
    caption(`${word(decided.step)}${why}`),
  );
}

/** A button for each sample. */
function tabs(example) {
  if (example.samples.length < 2) return "";
  const shownSample = sampleOf(example);
  const choose = (place) => () => {
    Object.assign(state, { sample: place, tried: null });
    drawDetail();
  };
  const tab = (sample, place) =>
    button(
      `key s-${sample.status}`,
      choose(place),
      [el("i"), `sample ${sample.number}: `, el("b", { text: answerOf(sample) })],
      { "aria-pressed": String(sample === shownSample) },
    );
  return el("p", { class: "tabs", role: "group", "aria-label": "samples" }, example.samples.map(tab));
}

/** The one call of a sample without stages. */
function callNodes(sample, isPromptShown, opposite) {
  const written = sample.options ? optionsNode(sample) : completionNode(sample, data.texts[opposite.text]);
  return [
    isPromptShown ? "" : section("prompt", promptNode(sample.prompt, opposite.prompt), shownNotes(sample)),
    section(sample.options ? "choice" : "completion", written, ending(sample)),
  ];
}

/** One call of a stage; the answering one is marked as its row was read. */
function stageNode(sample, call, place) {
  const isAnswer = place === sample.stages.map((each) => each.stage).lastIndexOf(sample.stage);
  const told = isAnswer ? { ...sample, ...call, options: sample.options || call.options } : call;
  const round = call.round === undefined ? "" : `, round ${call.round + 1}`;
  const reads = call.status === "answered" ? "the answer is read from this" : "the answer would be read from this";
  return el(
    "section",
    { class: `stage${isAnswer ? " answers" : ""}` },
    el(
      "h3",
      {},
      `${place + 1}. ${call.stage}${round} `,
      el("span", { class: `status s-${call.status}` }, el("i"), call.status),
      isAnswer ? el("span", { class: "origin", text: reads }) : "",
    ),
    call.continues ? caption(`goes on from all of ${call.continues} above, with:`) : "",
    promptNode(call.prompt),
    shownNotes(call),
    el("h4", { text: told.options ? "choice" : "completion" }),
    told.options ? optionsNode(told) : completionNode(told, undefined, `the completion of ${call.stage}`),
    ending(call),
    isAnswer ? "" : cameOut(call),
  );
}

/** What later stages see of a stage, where that is not its text; or why it has no answer. */
function cameOut(call) {
  const isText = (call.answer || "").trim() === data.texts[call.text].trim();
  const why = call.status === "answered" ? "" : `${word(call.step)}: ${word(call.reason)}`;
  return pairs([["answer", isText ? "" : call.answer], ["why there is none", why]], "notes");
}

function ending(call) {
  const [kind, num, numForced] = call.thinking || [];
  const forced = numForced ? `, ${many(numForced)} of them forced` : "";
  const [numPrompt, numNew] = call.tokens || [];
  const said = [
    ENDS[call.ended] || call.ended,
    kind ? `thinking ${kind}, ${plural(num, "token")}${forced}` : "",
    numPrompt ? `${many(numPrompt)} prompt tokens, ${many(numNew)} new` : "",
    call.stored ? "from the store" : "",
    call.log === undefined ? "" : `log-likelihood ${call.log}`,
  ];
  return el("p", { class: "caption ending", text: said.filter(Boolean).join(" · ") });
}

/** What the prompt did not show, or showed under another label. */
function shownNotes(call) {
  const listed = (name, tell) => (call[name] === undefined ? "" : JSON.parse(word(call[name])).map(tell).join(", "));
  const notes = [
    ["left out", listed("left_out", (each) => `${each.id} (${each.why})`)],
    ["dropped, to fit", listed("dropped", String)],
    ["relabelled", listed("relabelled", (each) => `${each.id} (${each.label} as ${each.shown})`)],
  ];
  return notes.some(([, told]) => told) ? pairs(notes, "notes") : "";
}

function fieldsOf(example) {
  if (!example.fields) return "";
  const field = ([name, text]) =>
    el("div", {}, el("dt", { text: word(name) }), el("dd", { text: harmless(data.texts[text]) }));
  return details("the example's fields", el("dl", { class: "fields" }, example.fields.map(field)));
}

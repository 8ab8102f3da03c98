// What is embedded, and what is asked of it.

const data = JSON.parse(document.getElementById("data").textContent);
const STATUSES = ["answered", "unparsed", "truncated", "ambiguous", "empty"];
const ENDS = {
  stop: "ended by a stop string, which is cut off",
  eos: "ended by the model",
  length: "cut off at max_new_tokens",
  answered: "stopped as soon as it was answered",
  scored: "options were scored",
};
const MARKS = { right: "✓", partly: "◐", wrong: "✗", "no answer": "∅", "no target": "" };
const NO_FILTERS = { result: "", status: "", step: "", flip: "", search: "" };

/** What is shown: `run` by its number, filters, order, the row at hand; the open example's id, its sample, its step. */
const state = {
  run: data.shown,
  ...NO_FILTERS,
  sort: "",
  down: false,
  at: 0,
  open: null,
  sample: null,
  tried: null,
  visible: false,
  whole: false,
};

const word = (number) => (isThere(number) ? data.words[number] : "");
const run = () => data.runs[state.run];

/** What gives a character's place in a text as browsers count it, where one beyond U+FFFF is two. */
function placesIn(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const places = [0];
  for (const character of text) places.push(places[places.length - 1] + character.length);
  return (place) => places[Math.min(place, places.length - 1)];
}

/** The examples of each run by their ids. */
const byId = data.runs.map((each) => new Map(each.examples.map((example) => [example.id, example])));

/** The same example in the first run, where the page compares with it. */
const base = (example) => (data.is_compared && state.run > 0 ? byId[0].get(example.id) : undefined);

/** What became of an example, in one word. */
function resultOf(example) {
  if (example.status !== "answered") return "no answer";
  if (!isThere(example.score)) return "no target";
  return example.score >= 1 ? "right" : example.score > 0 ? "partly" : "wrong";
}

/** The steps at which an example's answers were found, or at which the chain stopped. */
function stepsOf(example) {
  const samples = example.samples.map((sample) => word(sample.step));
  return example.decided ? [word(example.decided.step), ...samples] : samples;
}

/** The statuses that the bar of the run counts for an example: what was decided, else those of its samples. */
const statusesOf = (example) => (example.decided ? [example.status] : example.samples.map((sample) => sample.status));

/** A flip in words: whether it is one, which way, and what was the first to differ. */
function flipNames([cause, change]) {
  return ["any flip", change > 0 ? "better" : change < 0 ? "worse" : "another answer", `by ${cause}`];
}

/** The numbers of an example's texts: its fields, its completions, and what its prompts are made of. */
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

/** Of each example of each run the texts that not all of the run have: what all share would be found everywhere. */
const searched = data.runs.map((each) => {
  const lists = each.examples.map(textsOf);
  const counts = new Map();
  for (const texts of lists) for (const text of texts) counts.set(text, (counts.get(text) || 0) + 1);
  return lists.map((texts) => [...texts].filter((text) => lists.length < 3 || counts.get(text) < lists.length));
});

/** For each example of the shown run, whether a text is found in it, whatever its case. */
function found(text) {
  const wanted = text.toLowerCase();
  const isIn = (value) => value && value.toLowerCase().includes(wanted);
  const has = data.texts.map(isIn);
  return run().examples.map(
    ({ id, answer, target }, place) => [id, answer, target].some(isIn) || searched[state.run][place].some((each) => has[each]),
  );
}

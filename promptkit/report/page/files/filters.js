// What leaves examples out of the list: results, statuses, steps, flips, and a text that is searched for.

let filters;
const RESULTS = ["right", "partly", "wrong", "no answer", "no target"];

/** The filters, each with how many examples of the run it leaves by itself. */
function drawFilters() {
  const results = tally((example) => [resultOf(example)]);
  const steps = tally(stepsOf);
  const flips = tally((example) => (example.flip ? flipNames(example.flip) : []));
  const chips = RESULTS.filter((name) => results.has(name)).map((name) => chip(name, results.get(name)));
  filters.replaceChildren(
    data.runs.length > 1 ? select("run", "run", data.runs.map(runOption)) : "",
    searchField(),
    el("span", { class: "chips" }, chips),
    select("status", "status", [["", "any status"], ...counted(tally(statusesOf))]),
    steps.size > 1 ? select("step", "step that answered, or stopped", [["", "any step"], ...counted(steps)]) : "",
    flips.size ? select("flip", "flips against run 1", [["", "flipped or not"], ...counted(flips)]) : "",
  );
}

/** How many examples have each value. */
function tally(valuesOf) {
  const counts = new Map();
  for (const example of run().examples)
    for (const value of new Set(valuesOf(example))) counts.set(value, (counts.get(value) || 0) + 1);
  return counts;
}

const counted = (counts) => [...counts].map(([name, number]) => [name, `${name} ${many(number)}`]);
const runOption = ({ label, name }, place) => [String(place), data.runs.length > 2 ? label : `${label}: ${name}`];
const dashed = (name) => name.replace(" ", "-");

function chip(name, number) {
  const isOn = state.result === name;
  const text = [MARKS[name] ? `${MARKS[name]} ` : "", `${name} `, el("b", { text: many(number) })];
  const more = { "aria-pressed": String(isOn) };
  return button(`chip r-${dashed(name)}`, () => filterBy("result", isOn ? "" : name), text.filter(isThere), more);
}

function searchField() {
  return el("input", {
    type: "search",
    id: "search",
    placeholder: "search  /",
    "aria-label": "search ids, answers, prompts and completions",
    value: state.search,
    oninput: (event) => filterBy("search", event.target.value),
  });
}

function select(name, label, options) {
  const onchange = (event) => filterBy(name, event.target.value);
  const choices = options.map(([value, text]) => el("option", { value, text }));
  const node = el("select", { name, "aria-label": label, onchange }, choices);
  node.value = String(state[name]);
  return node;
}

function filterBy(name, value) {
  if (name === "run") {
    Object.assign(state, NO_FILTERS, { run: Number(value), search: state.search, sample: null, tried: null });
    if (state.open !== null && !byId[state.run].has(state.open)) closeExample();
  } else state[name] = value;
  state.at = 0;
  drawList(name === "search");
  if (state.open !== null) (name === "run" ? drawDetail : markSearched)();
}

function clearFilters() {
  Object.assign(state, NO_FILTERS);
  drawList();
}

/** Whether the filters leave an example; `has` says of each whether it holds what is searched for. */
function fits(example, place, has) {
  return (
    (!state.result || resultOf(example) === state.result) &&
    (!state.status || statusesOf(example).includes(state.status)) &&
    (!state.step || stepsOf(example).includes(state.step)) &&
    (!state.flip || (example.flip && flipNames(example.flip).includes(state.flip))) &&
    (!has || has[place])
  );
}

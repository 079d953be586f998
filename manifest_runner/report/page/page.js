"use strict";
// The table of items: searched, filtered, sorted and shown a page at a time. What is chosen stands in the address, so
// that it can be sent to somebody. The rows come from the JSON in the page; text only ever goes into textContent.
{
  const PAGE_SIZE = 100;
  const MOST_PRINTED = 2000;
  const find = (selector) => document.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

  const { names, rows } = JSON.parse(find("#data").textContent);
  const items = rows.map((values) => Object.fromEntries(values.map((value, at) => [names[at], value])));
  const searched = "reference kind pipeline pipelineName label status reason whole outputs notes analysis".split(" ");
  const haystacks = new Map(items.map((item) => [item, searched.map((name) => item[name]).join("\n").toLowerCase()]));
  const inWords = new Intl.Collator("en", { numeric: true });

  const table = find(".items");
  const search = find("[name=search]");
  const filters = findAll("[data-filter]");
  const keys = findAll("th[data-key]", table).map((header) => header.dataset.key);
  const view = { states: new Set(), why: new Set(), key: "rank", descending: false, page: 0, found: items };

  // -- which items, and in which order

  function update(page = 0) {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    view.found = items.filter((item) => isWanted(item, words)).sort(compare);
    view.page = hasPage(page) ? page : 0;
    show();
  }

  function isWanted(item, words) {
    if (view.states.size && !view.states.has(item.state)) return false;
    if (view.why.size && !view.why.has(item.why)) return false;
    return words.every((word) => haystacks.get(item).includes(word));
  }

  function compare(one, other) {
    const a = one[view.key], b = other[view.key];
    const isLess = typeof a === "number" && typeof b === "number" ? a - b : inWords.compare(a, b);
    // What is not known comes last, whichever way.
    if (isUnknown(a) || isUnknown(b)) return isUnknown(a) - isUnknown(b) || byReference(one, other);
    return (view.descending ? -isLess : isLess) || byReference(one, other);
  }

  const isUnknown = (value) => value === "" || value === null;
  const byReference = (one, other) => inWords.compare(one.reference, other.reference);

  // -- onto the page

  function show(size = PAGE_SIZE) {
    const start = size > PAGE_SIZE ? 0 : view.page * PAGE_SIZE;
    const shown = view.found.slice(start, start + size);
    table.tBodies[0].replaceChildren(...shown.map(rowOf));
    find(".pager [role=status]").textContent = inNumbers(start, shown.length);
    for (const button of findAll(".pager button")) {
      button.disabled = !hasPage(view.page + Number(button.dataset.step));
      button.hidden = items.length <= PAGE_SIZE;
    }
    for (const header of findAll("th[data-key]", table)) markSorted(header);
    for (const button of filters) markChosen(button);
    find(".clear").hidden = !(view.states.size || view.why.size || search.value);
  }

  function markChosen(button) {
    button.setAttribute("aria-pressed", String(view[button.dataset.filter].has(button.dataset.valueOf)));
  }

  function inNumbers(start, count) {
    const all = items.length.toLocaleString("en");
    const found = view.found.length.toLocaleString("en");
    const of = view.found.length === items.length ? all : `${found} found, of ${all}`;
    if (!count) return `No item matches, of ${all}`;
    return `${(start + 1).toLocaleString("en")}–${(start + count).toLocaleString("en")} of ${of}`;
  }

  const hasPage = (page) => Number.isInteger(page) && page >= 0 && page * PAGE_SIZE < view.found.length;

  function markSorted(header) {
    if (header.dataset.key !== view.key) header.removeAttribute("aria-sort");
    else header.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
  }

  function rowOf(item) {
    const row = filled("#row", item);
    const earlier = row.querySelector("[data-earlier]");
    const count = item.earlier.length;
    earlier.hidden = !count;
    earlier.querySelector("summary").textContent = `${count} earlier ${count === 1 ? "launch" : "launches"}`;
    earlier.querySelector("ol").replaceChildren(...item.earlier.map((launch) => filled("#earlier", launch)));
    return row;
  }

  function filled(template, values) {
    const node = find(template).content.firstElementChild.cloneNode(true);
    node.dataset.state = values.state;
    for (const part of findAll("[data-value]", node)) part.textContent = values[part.dataset.value];
    for (const part of findAll("[data-if]", node)) part.hidden = !values[part.dataset.if];
    for (const part of findAll("[data-unless]", node)) part.hidden = Boolean(values[part.dataset.unless]);
    for (const part of findAll("[data-link]", node)) part.href = values.link;
    for (const part of findAll("[data-title]", node)) part.title = values[part.dataset.title];
    for (const part of findAll(".copy", node)) part.hidden = false;
    return node;
  }

  // -- what is chosen, in the address: #?search=dragen&states=aborted,analysisFailed&sort=-seconds&page=2

  function remember() {
    const chosen = new URLSearchParams();
    if (search.value) chosen.set("search", search.value);
    if (view.states.size) chosen.set("states", [...view.states].join(","));
    if (view.why.size) chosen.set("why", [...view.why].join(","));
    if (view.key !== "rank" || view.descending) chosen.set("sort", (view.descending ? "-" : "") + view.key);
    if (view.page) chosen.set("page", view.page + 1);
    const words = chosen.toString();
    history.replaceState(null, "", words ? `#?${words}` : location.pathname + location.search);
  }

  function recall() {
    if (location.hash && !location.hash.startsWith("#?")) return; // a heading of the page
    const chosen = new URLSearchParams(location.hash.slice(2));
    search.value = chosen.get("search") ?? "";
    for (const name of ["states", "why"]) view[name] = new Set(known(name, chosen.get(name)));
    const sort = chosen.get("sort") ?? "rank";
    view.descending = sort.startsWith("-");
    view.key = keys.find((key) => key === sort.replace("-", "")) ?? "rank";
    update(Number(chosen.get("page")) - 1);
  }

  function known(name, values) {
    const given = (values ?? "").split(",");
    return given.filter((value) => filters.some(({ dataset }) => dataset.filter === name && dataset.valueOf === value));
  }

  // -- what people do

  function change(page = 0) {
    update(page);
    remember();
  }

  search.addEventListener("input", () => change());
  find(".tools").addEventListener("submit", (event) => event.preventDefault());

  for (const button of filters) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const chosen = view[button.dataset.filter];
      if (!chosen.delete(button.dataset.valueOf)) chosen.add(button.dataset.valueOf);
      change();
      if (!button.closest(".tools") && chosen.size) find("#items").scrollIntoView();
    });
  }

  find(".clear").addEventListener("click", () => {
    search.value = "";
    view.states.clear();
    view.why.clear();
    change();
    search.focus();
  });

  for (const header of findAll("th[data-key]", table)) {
    const button = header.querySelector("button");
    button.disabled = false;
    button.addEventListener("click", () => {
      view.descending = header.dataset.key === view.key && !view.descending;
      view.key = header.dataset.key;
      change();
    });
  }

  for (const button of findAll(".pager button")) {
    button.addEventListener("click", () => {
      change(view.page + Number(button.dataset.step));
      find("#items").scrollIntoView();
    });
  }

  table.addEventListener("click", ({ target }) => {
    if (target.classList.contains("copy")) copy(target, target.parentNode.querySelector("[title]").title);
  });

  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
      button.dataset.done = "yes";
      setTimeout(() => delete button.dataset.done, 1500);
    } catch {
      getSelection().selectAllChildren(button.parentNode); // not allowed here: ready for a copy by hand
    }
  }

  addEventListener("hashchange", recall);
  addEventListener("beforeprint", () => show(MOST_PRINTED));
  addEventListener("afterprint", () => show());

  find("#static").remove();
  find(".tools").hidden = false;
  find(".pager").hidden = false;
  update();
  recall();
}

"use strict";
// The table of items: searched, filtered, sorted and shown a page at a time. The rows come from the JSON in the page;
// text only ever goes into textContent.
{
  const PAGE_SIZE = 100;
  const MOST_PRINTED = 1000;
  const find = (selector) => document.querySelector(selector);
  const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

  const { names, rows } = JSON.parse(find("#data").textContent);
  const items = rows.map((values) => Object.fromEntries(values.map((value, at) => [names[at], value])));
  const searched = ["reference", "kind", "pipeline", "label", "status", "reason", "whole", "notes", "analysis"];
  const haystacks = new Map(items.map((item) => [item, searched.map((name) => item[name]).join("\n").toLowerCase()]));
  const inWords = new Intl.Collator("en", { numeric: true });

  const table = find(".items");
  const search = find("[name=search]");
  const view = { states: new Set(), key: "rank", descending: false, page: 0, found: items };

  // -- which items, and in which order

  function update() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    view.found = items.filter((item) => isWanted(item, words)).sort(compare);
    view.page = 0;
    show();
  }

  function isWanted(item, words) {
    if (view.states.size && !view.states.has(item.state)) return false;
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
    const start = view.page * PAGE_SIZE;
    const shown = view.found.slice(start, start + size);
    table.tBodies[0].replaceChildren(...shown.map(rowOf));
    find(".pager [role=status]").textContent = inNumbers(start, shown.length);
    for (const button of findAll(".pager button")) {
      button.disabled = !hasPage(view.page + Number(button.dataset.step));
      button.hidden = items.length <= PAGE_SIZE;
    }
    for (const header of findAll("th[data-key]", table)) markSorted(header);
  }

  function inNumbers(start, count) {
    const all = items.length.toLocaleString("en");
    const found = view.found.length.toLocaleString("en");
    const of = view.found.length === items.length ? all : `${found} found, of ${all}`;
    if (!count) return `No item matches, of ${all}`;
    return `${(start + 1).toLocaleString("en")}–${(start + count).toLocaleString("en")} of ${of}`;
  }

  const hasPage = (page) => page >= 0 && page * PAGE_SIZE < view.found.length;

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
    return node;
  }

  // -- what people do

  search.addEventListener("input", update);
  find(".tools").addEventListener("submit", (event) => event.preventDefault());

  for (const button of findAll(".tools button")) {
    button.addEventListener("click", () => {
      const state = button.dataset.state;
      if (!view.states.delete(state)) view.states.add(state);
      button.setAttribute("aria-pressed", String(view.states.has(state)));
      update();
    });
  }

  for (const header of findAll("th[data-key]", table)) {
    const button = header.querySelector("button");
    button.disabled = false;
    button.addEventListener("click", () => {
      view.descending = header.dataset.key === view.key && !view.descending;
      view.key = header.dataset.key;
      update();
    });
  }

  for (const button of findAll(".pager button")) {
    button.addEventListener("click", () => {
      view.page += Number(button.dataset.step);
      show();
      find("#items").scrollIntoView();
    });
  }

  addEventListener("beforeprint", () => show(MOST_PRINTED));
  addEventListener("afterprint", () => show());

  find("#static").remove();
  find(".tools").hidden = false;
  find(".pager").hidden = false;
  update();
}

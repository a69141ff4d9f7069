// A click on a column's title sorts its table by it, and another one the other way round.
const value = (row, i) => row.cells[i].textContent.trim();
const number = (text) => parseFloat(text.replace("−", "-").replace(/[,<]/g, ""));
function compare(a, b) {
  const [x, y] = [number(a), number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a.localeCompare(b);
}
for (const title of document.querySelectorAll("thead th")) {
  title.tabIndex = 0;
  const sort = () => {
    const body = title.closest("table").tBodies[0];
    const up = title.getAttribute("aria-sort") !== "ascending";
    for (const other of title.parentNode.cells) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", up ? "ascending" : "descending");
    const i = title.cellIndex, sign = up ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(value(a, i), value(b, i))));
  };
  title.addEventListener("click", sort);
  title.addEventListener("keydown", (event) => event.key === "Enter" && sort());
}

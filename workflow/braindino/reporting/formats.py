"""Print a table's grid as Markdown or LaTeX."""

from braindino.reporting.grids import Cell

TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "–": "--", "²": r"$^2$", "‡": r"$\ddagger$", "<": "$<$", ">": "$>$",
}  # fmt: skip


def to_markdown(grid):
    """Print a `Grid` as a Markdown table below its heading."""
    header = [_markdown_text(title) for title in grid.header]
    lines = [header, ["---"] * len(header)]
    lines += [[_markdown_cell(cell) for cell in row] for row in grid.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{_markdown_text(grid.heading)}**\n\n{body}\n\n{_markdown_text(grid.caption)}\n"


def to_latex(grid, label):
    """Print a `Grid` as a LaTeX table; needs the package booktabs.

    Parameters
    ----------
    grid : Grid
        The table.
    label : str
        What follows `tab:` in its label.
    """
    header = " & ".join(map(tex_escape, grid.header))
    body = "\n".join(" & ".join(map(_tex_cell, row)) + r" \\" for row in grid.rows)
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{\textbf{{{tex_escape(grid.heading)}}} {tex_escape(grid.caption)}}}",
            rf"  \label{{tab:{label}}}",
            rf"  \begin{{tabular}}{{{'l' * len(grid.header)}}}",
            r"\toprule",
            rf"{header} \\",
            r"\midrule",
            body,
            r"\bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def tex_escape(text):
    """Escape text for LaTeX."""
    return "".join(TEX.get(character, character) for character in text)


def _markdown_text(text):
    return "".join(f"\\{c}" if c in "\\|*_`" else c for c in text)


def _markdown_cell(cell):
    if not isinstance(cell, Cell):
        return _markdown_text(cell)
    text = _markdown_text(cell.text)
    return (f"**{text}**" if cell.best else text) + _markdown_text(cell.mark)


def _tex_cell(cell):
    if not isinstance(cell, Cell):
        return tex_escape(cell)
    text = tex_escape(cell.text)
    text = rf"\textbf{{{text}}}" if cell.best else text
    return text + (f"$^{{{cell.mark}}}$" if cell.mark else "")

"""Path patterns of the cards, as regular expressions."""

import re


def compile_pattern(pattern):
    r"""Compile a card's path pattern to a regular expression.

    `{name}` matches a part without '/'; `{name:regex}` narrows it; a name that occurs again must
    match the same text.

    Examples
    --------
    >>> compile_pattern("{subject}/{subject}-t1n.nii.gz").fullmatch("a-1/a-1-t1n.nii.gz")["subject"]
    'a-1'
    """
    seen, out, end = set(), "", 0
    for part in re.finditer(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}", pattern):
        name, narrowed = part.groups()
        out += re.escape(pattern[end : part.start()])
        out += f"(?P={name})" if name in seen else f"(?P<{name}>{narrowed or '[^/]+?'})"
        seen.add(name)
        end = part.end()
    return re.compile(out + re.escape(pattern[end:]))

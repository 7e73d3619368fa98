"""Check built pages without a network: links lead somewhere, and nothing is loaded.

    python docs/check_links.py docs/_build/html

Every link within the pages must lead to a file and to an anchor in it, and no page may
load a script, style, font or image from elsewhere. Links to other sites are not opened.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img", "link", "script", "source"}


class Page(HTMLParser):
    """Anchors of a page, its links, and the files it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loads = {"", "top"}, set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note what a tag defines and what it refers to."""
        attrs = {name: value for name, value in attrs if value is not None}
        self.anchors |= {attrs[name] for name in ("id", "name") if name in attrs}
        found = {attrs[name] for name in ("href", "src") if name in attrs}
        (self.loads if tag in LOADED else self.links).update(found)


def check(root):
    """Messages on all that is wrong."""
    pages = {
        path.resolve(): Page(path)
        for path in root.rglob("*.html")
        if "_static" not in path.parts
    }
    problems = []
    for path, page in sorted(pages.items()):
        for link in sorted(page.links | page.loads):
            where = f"{path.relative_to(root)}: {link}"
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loads and parts.scheme != "data":
                    problems.append(f"{where} is loaded from elsewhere")
                continue
            target = (path.parent / unquote(parts.path)).resolve()
            target = target if parts.path else path
            if not target.is_file():
                problems.append(f"{where} leads to no file")
            elif target in pages and unquote(parts.fragment) not in (
                pages[target].anchors
            ):
                problems.append(f"{where} leads to no anchor")
    for path in sorted(root.rglob("*.css")):
        style = path.read_text(encoding="utf-8")
        for link in re.findall(r"url\(\s*[\"']?((?:https?:)?//[^)]*)\)", style):
            problems.append(
                f"{path.relative_to(root)}: {link} is loaded from elsewhere"
            )
    return len(pages), problems


if __name__ == "__main__":
    n_pages, problems = check(Path(sys.argv[1]).resolve())
    print(*problems, f"{n_pages} pages, {len(problems)} problems", sep="\n")
    sys.exit(bool(problems) or not n_pages)

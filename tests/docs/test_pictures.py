"""The pictures in the docs are what the page that shows them draws now."""

from __future__ import annotations

import re

from money_pictures import DRAWN_OF, FOLDER, PAGE, drawn, run_page


def said(picture: str) -> list[str]:
    """What a picture was drawn of, and every text in it; where its lines lie may differ with a font or a version."""
    return re.findall(r"<dc:description>(.*?)</dc:description>|<text[^>]*>(.*?)</text>", picture, re.DOTALL)


def test_the_pictures_in_the_docs_are_drawn_of_the_page_as_it_is() -> None:
    """To draw them anew: python docs/_ext/money_pictures.py."""
    now = drawn(run_page())

    kept = {each.stem: each.read_text(encoding="utf-8") for each in FOLDER.glob("*.svg")}
    assert {name: said(text) for name, text in kept.items()} == {name: said(text) for name, text in now.items()}
    assert all(len(said(text)) > 5 for text in kept.values())


def test_the_page_shows_each_picture_with_words_for_who_cannot_see_it() -> None:
    shown = re.findall(r"!\[(.*?)\]\(\.\./_static/pictures/(\w+)\.svg\)", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    assert [name for _, name in shown] == list(DRAWN_OF)
    assert all(len(words) > 40 for words, _ in shown)

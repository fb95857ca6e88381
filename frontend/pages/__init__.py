"""The pages of the console: `frame` is what they share.

A page is a package here, or a module where one is enough. Its `page.py` has `build_<page>`, which
lays it out and wires its events; what serves that page alone stands beside it, also where it needs
no Gradio. What two pages need is a module of `frontend` itself. A page's words, templates and
styles go by its name: `texts/*/<page>.toml`, `templates/<page>_*.html`, `static/<page>.css`.
"""

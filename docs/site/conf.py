"""Sphinx reads the same Markdown that the tests run: `make docs` builds build/docs/index.html."""

project = "attendee-mockserver"
author = "the authors of attendee-mockserver"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "docs/**",
    "*/README.md",
    "examples/**/README.md",
]
exclude_patterns = [
    ".pytest_cache/**",
    "docs/site/**",
    "docs/pictures/**",
    "**/node_modules/**",
    ".venv*/**",
    ".generators/**",
    "build/**",
]
myst_heading_anchors = 4
suppress_warnings = ["myst.xref_missing_external"]
html_theme = "furo"
html_title = "attendee-mockserver"
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f766e", "color-brand-content": "#0f766e"},
    "dark_css_variables": {"color-brand-primary": "#5cc9be", "color-brand-content": "#5cc9be"},
}
# Blocks of shell output and HTTP are not languages that a highlighter has to know.
highlight_language = "none"

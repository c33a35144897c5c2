"""The report of a profile: one HTML file that can be read anywhere, with nothing to fetch.

facts                  what was measured and made of it, from which all sections are written
curves, front, words   what is shown, computed: pure
plot, palette          a figure, drawn by matplotlib, as inline SVG that follows the page's colours
sections/              one module a section of the page: which figures and tables it has, and why
page                   sections (made of content) to HTML: *.html.jinja, style.css
command                `tailq-profile report`: files in, file out
"""

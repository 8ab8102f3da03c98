"""The page: one HTML file that shows every prompt and completion of finished runs."""

from promptkit.report.page.page import Page, make_page, page_html

__all__ = ["Page", "make_page", "page_html"]

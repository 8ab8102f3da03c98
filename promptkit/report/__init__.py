"""What people see: tables, the exact prompt, cards, progress."""

from promptkit.report.audit_view import audit_view
from promptkit.report.bakeoff_view import bakeoff_view
from promptkit.report.card_view import card_view
from promptkit.report.compare_view import compare_view
from promptkit.report.explain_view import explain_view, overview_view
from promptkit.report.failure_view import failure_text
from promptkit.report.picture import FORMATS, draw
from promptkit.report.plan_view import plan_view
from promptkit.report.progress import ProgressLine, Reading
from promptkit.report.prompt_view import prompt_json, prompt_view, tokens_view
from promptkit.report.stages_view import stages_view
from promptkit.report.sweep_plan_view import sweep_plan_view
from promptkit.report.sweep_points import Axes, Point, Points, sweep_points
from promptkit.report.sweep_view import sweep_view
from promptkit.report.table import format_score, format_seconds, runs_table, thinking_lines, unanswered_line

__all__ = [
    "FORMATS",
    "Axes",
    "Point",
    "Points",
    "ProgressLine",
    "Reading",
    "audit_view",
    "bakeoff_view",
    "card_view",
    "compare_view",
    "draw",
    "explain_view",
    "failure_text",
    "format_score",
    "format_seconds",
    "overview_view",
    "plan_view",
    "prompt_json",
    "prompt_view",
    "runs_table",
    "stages_view",
    "sweep_plan_view",
    "sweep_points",
    "sweep_view",
    "thinking_lines",
    "tokens_view",
    "unanswered_line",
]

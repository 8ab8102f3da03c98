"""Metrics, intervals, and the statuses that stand beside them."""

from promptkit.score.comparison import Comparison, compare_scores, holm
from promptkit.score.equality import HasEquality, is_same
from promptkit.score.interval import Interval, mean_interval, wilson
from promptkit.score.kinds import Accuracy, ExactMatch, PythonMetric, default_metrics
from promptkit.score.metric import SCORE, Metric, Metrics
from promptkit.score.paired import Worse, clearly_worse, sign_test
from promptkit.score.reliability import NUM_BINS, calibration_error
from promptkit.score.spread import Spread, spread
from promptkit.score.summary import Score, count_statuses, status_rates, summarize

__all__ = [
    "NUM_BINS",
    "SCORE",
    "Accuracy",
    "Comparison",
    "ExactMatch",
    "HasEquality",
    "Interval",
    "Metric",
    "Metrics",
    "PythonMetric",
    "Score",
    "Spread",
    "Worse",
    "calibration_error",
    "clearly_worse",
    "compare_scores",
    "count_statuses",
    "default_metrics",
    "holm",
    "is_same",
    "mean_interval",
    "sign_test",
    "spread",
    "status_rates",
    "summarize",
    "wilson",
]

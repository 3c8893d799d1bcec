"""What is measured besides the loss: chosen by the task, or asked for by name."""

from cnncli.training.metrics.metric import Metric
from cnncli.training.metrics.scores import Scores, Totals
from cnncli.training.metrics.task import METRICS, TASKS, Task, is_share, task_of, whole_task
from cnncli.training.metrics.text import score_text

__all__ = ["METRICS", "TASKS", "Metric", "Scores", "Task", "Totals", "is_share", "score_text", "task_of", "whole_task"]

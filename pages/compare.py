"""Compare: all estimators on this panel, and which predicts best where nothing happened."""

from components.ui import comparison, contest_work, drives, frame, leaderboard, waiting
from components.ui.guard import told
from components.ui.keynote import keynote_section

waiting.forget_background("contest")
spec = frame.enter("compare")
panel, words = frame.panel_in_frame(spec)
with told():
    found, job = contest_work.contest_of(spec)

judge = leaderboard.judge_of(found)
leaderboard.headline(found, judge, words)
contest_work.progress_line(found, job)
if found is not None:
    if judge is not None:
        leaderboard.judge_field(found)
        leaderboard.board(found, judge, words)
        leaderboard.explanation(found, panel)
    comparison.effects(found, judge, spec, words)
    comparison.paths(found, judge, panel, words)
    comparison.weights(found, judge)
    drives.drives(found, judge, words)
keynote_section()

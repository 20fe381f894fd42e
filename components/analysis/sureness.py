"""How sure, in plain sentences: verdict, interval, p-value, and how honest the interval is."""

from __future__ import annotations

from components.analysis.run import Result
from components.analysis.words import Words, number, quantity, treated_names
from components.inference.base import level_text
from components.inference.honesty import Honesty
from components.inference.verdict import Verdict, verdict
from components.panel import period_label


def badge(result: Result, words: Words, margin: float | None = None) -> tuple[str, str] | None:
    """Give the verdict in a few words, and its kind.

    Parameters
    ----------
    result : Result
    words : Words
    margin : float, optional
        The smallest average effect that would matter.

    Returns
    -------
    tuple of str, or None
        Text and kind; None where nothing is said about how sure the estimate is.
    """
    answer = _verdict(result, margin)
    if answer is None:
        return None
    if answer.kind == "effect":
        return "An effect", answer.kind
    if answer.kind == "nothing larger" and answer.beyond is not None:
        return f"Nothing larger than {quantity(answer.beyond, words)}", answer.kind
    return "Cannot tell an effect from none", answer.kind


def reading(result: Result, words: Words, margin: float | None = None) -> str:
    """Say how sure: p-value, interval, and what they allow to conclude.

    Parameters
    ----------
    result : Result
    words : Words
    margin : float, optional
        The smallest average effect that would matter.

    Returns
    -------
    str
    """
    if result.refusal is not None:
        return f"No interval: {result.refusal}"
    uncertainty = result.uncertainty
    if uncertainty is None:
        return "No inference method is chosen, so nothing is said about how sure this is."
    parts = [_p_sentence(result)] if uncertainty.p_value is not None else []
    level = level_text(uncertainty.level)
    interval, answer = uncertainty.interval, _verdict(result, margin)
    if interval is None:
        parts.append(f"There is no {level} interval; the notes below say why.")
    elif answer is not None:
        span = f"{number(interval.lower)} to {number(interval.upper)}"
        parts.append(f"The {level} interval (two-sided), {span}, {_conclusion(answer, words)}")
    return " ".join(parts)


def _verdict(result: Result, margin: float | None) -> Verdict | None:
    return None if result.uncertainty is None else verdict(result.uncertainty, margin)


def _p_sentence(result: Result) -> str:
    uncertainty = result.uncertainty
    assert uncertainty is not None
    assert uncertainty.p_value is not None
    again = ", recalibrated" if "recalibrated" in uncertainty.details else ""
    text = f"{uncertainty.method.card.title}{again}: p {_p(uncertainty.p_value)}"
    if uncertainty.smallest_p is not None:
        smallest = uncertainty.smallest_p
        digits = f"{smallest:.3f}" if smallest >= 0.001 else f"{smallest:.1g}"
        text += f" (the smallest possible here is {digits})"
    ranking = uncertainty.details.get("ranking")
    if ranking is not None:
        place = int(ranking.loc[ranking["treated"], "rank"].iloc[0])
        text += f", place {place:,} of {len(ranking):,} by size"
    return f"{text}."


def _conclusion(answer: Verdict, words: Words) -> str:
    seen = ""
    if answer.detectable is not None:
        seen = (
            "the smallest average effect that this design would have found in four of five cases "
            f"is {quantity(answer.detectable, words)}"
        )
    if answer.kind == "effect":
        return "excludes zero."
    if answer.kind == "nothing larger" and answer.beyond is not None:
        text = (
            f"includes zero: average effects beyond {quantity(answer.beyond, words)} are ruled out "
            "at this level, smaller ones and none are not."
        )
        if answer.margin is not None:
            return f"{text} That is within the {quantity(answer.margin, words)} that matter."
        return f"{text} By comparison, {seen}."
    text = "includes zero: at this level the data cannot tell an effect from none"
    if answer.margin is not None and answer.beyond is not None:
        text += (
            f", nor rule out one of {quantity(answer.beyond, words)}, beyond the "
            f"{quantity(answer.margin, words)} that matter"
        )
    return f"{text}; {seen}." if seen else f"{text}."


def honest_sentence(honest: Honesty) -> str:
    """Say the actual coverage of a method's intervals beside the nominal one."""
    level = level_text(honest.level)
    text = (
        f"Nominal {level}, here {honest.coverage:.0%} over {honest.n} placebos (Monte Carlo error "
        f"{100 * honest.error:.2g} points)"
    )
    if (band := honest.band_coverage) is not None:
        share, error = band
        text += f"; the band of single periods {share:.0%} ({100 * max(error, 0.001):.2g} points)"
    return f"{text}."


def placebos_sentence(result: Result, honest: Honesty, words: Words) -> str:
    """Say what the placebos of an honesty check are."""
    panel = result.estimate.panel
    design = panel.design
    several = words.unit[1]
    left_out = f"{treated_names(panel, words)} {'is' if design.n_treated == 1 else 'are'} left out"
    first = period_label(panel.periods[design.n_pre])
    tried = honest.n + honest.without
    when = f"from {first} on" if design.kind == "block" else "with the dates of treated ones"
    if honest.size == 1 and tried == honest.possible:
        who = f"Each of the {tried} never-treated {several} in turn counts as treated {when}"
    elif tried == honest.possible:
        who = (
            f"Each choice of {honest.size} of the {design.n_controls} never-treated {several} in "
            f"turn counts as treated {when}"
        )
    elif honest.size == 1:
        who = (
            f"{tried} of the {design.n_controls} never-treated {several}, drawn at random (seed "
            f"{honest.seed}), in turn count as treated {when}"
        )
    else:
        who = (
            f"{honest.size} of the {design.n_controls} never-treated {several}, drawn at random "
            f"{tried} times (seed {honest.seed}), count as treated {when}"
        )
    text = f"{who}; {left_out}, and the true effect is zero."
    if honest.without:
        text += f" {honest.without} of them have no interval: {honest.reason}"
    if honest.tautological:
        text += (
            " This method is itself made of such placebos, so a share near the nominal one is no "
            "news; it would differ only where placebos make poor donors for each other."
        )
    return text


def _p(value: float) -> str:
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"

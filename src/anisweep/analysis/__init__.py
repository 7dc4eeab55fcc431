"""Draw conclusions from tables, one file each: growth, break-even sizes, comparisons, conversion, threads.

A new analysis is a new file here: tables in, data classes out, no words for people. The file of the same
name in `anisweep.report.sections` shows it. Claims of earlier work are judged in `claims`.
"""

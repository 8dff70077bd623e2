"""A plain problem in, a plain plan out: no database, no web.

Start at `scheduler.solve.solve`; `request` says what it is asked, `plan` what it answers, and `check` judges
any plan.
"""

# Names that the checklists use, for the commands of noxfile.py.
NOX ?= uvx nox

.PHONY: test-smoke test pr-fast check-new-code-coverage

test-smoke:
	$(NOX) -s smoke

test:
	$(NOX) -s tests

pr-fast:
	$(NOX) -s lint types imports unit

check-new-code-coverage:
	$(NOX) -s new-code-coverage

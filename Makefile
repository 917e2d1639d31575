# Everything that is needed is made by these commands: nothing has to be installed by hand.
PYTHON ?= python3
SET_UP = @$(PYTHON) deploy/find_python.py

.PHONY: help run test proof bench lock clean

help:
	@echo "make run     set up, then serve on 127.0.0.1:8000 (PORT=... for another port)"
	@echo "make test    set up, then run every check and test (ARGS='tests/sales -x' for some)"
	@echo "make proof   the long runs of the proofs that the tests run small"
	@echo "make bench   measure, and write docs/benchmarks.md"
	@echo "make lock    write requirements/*.txt anew from requirements/*.in"
	@echo "make clean   delete the virtual environment, the state and all data in it"

run:
	$(SET_UP) run

test:
	$(SET_UP) test $(ARGS)

proof:
	$(SET_UP) proof $(ARGS)

bench:
	$(SET_UP) bench $(ARGS)

lock:
	$(SET_UP) lock $(ARGS)

clean:
	$(SET_UP) clean

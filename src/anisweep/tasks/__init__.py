"""Hold the tasks: what can be measured besides descriptors, one file each in this folder.

A task is a question that several ways answer, as energies with forces by C kernels or by Torch. Each way is
a mode; a study says ``task: forces`` and names them in ``modes:``, and elsewhere such a mode is called by
both names, ``forces.c_kernels``. A task is a module with these public names::

    MODES = {"c_kernels": "the C kernels", "torch": "the Torch operator and autograd"}
    PRECISIONS = ("fp64",)
    DEVICES = ("cpu",)
    SAME_RESULT = True
    RESULTS = {"drift": "largest change of the total energy (eV)"}
    RESULTS_S = 5.0
    def prepare(mode, hypers, precision, device, frames) -> calculator
    def compute(calculator, frames, clock) -> array
    def results(calculator, frames) -> {"drift": 0.001}

How to add one: docs/how-to/add-a-task.md.

``compute`` is timed, and compared with that of the reference where all modes compute the same numbers
(``SAME_RESULT``). ``results`` is called once after it, takes about ``RESULTS_S`` seconds, and may leave out
what a mode has not; its numbers become the columns ``result_<name>`` of the tables. Where one of them is what
a study is about, and the better the smaller it is, ``JUDGED_BY = "drift"`` says so, and the report's answer
begins with the mode that is best by it.

Files that begin with an underscore hold what several tasks share, and are no tasks. The names in capitals
are read from the source, as those of the modes are: `anisweep.modes` finds and loads both.
"""

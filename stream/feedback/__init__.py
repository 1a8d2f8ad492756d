"""Back to the microscope: how strongly molecules are switched on, and when a run has what it wants."""

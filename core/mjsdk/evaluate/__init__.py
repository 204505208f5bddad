"""How good a policy is: fixed commands, fixed seeds, faithful physics. Import from its modules."""

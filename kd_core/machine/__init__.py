"""What this machine is and has: device, cores, memory, child processes, clocks."""

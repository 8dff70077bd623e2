import sys
from simulation.run import run
from simulation.schedule import Schedule
a,b=int(sys.argv[1]),int(sys.argv[2])
for seed in range(a,b):
    s=Schedule.drawn_from(seed)
    o=run(s)
    print(seed, o.trace[:8], f"{o.clock_hours:.0f}h {o.seconds:.2f}s x{o.clock_hours*3600/o.seconds:.0f}", dict(o.figures), o.violation)
    if o.violation:
        print(o.traceback[-3000:])
        print("\n".join(o.lines[-15:]))
        break

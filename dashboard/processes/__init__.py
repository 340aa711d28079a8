"""Everything on one machine: the programs behind `manage.py up`, and the supervisor that keeps them alive.

layout      where things lie in DATA_DIR, and the lock that keeps a second `up` out
ports       the web's listening socket, a free port for the simulator
valkey      the embedded broker: binary, configuration, readiness
choices     the environment → what to run (simulator or cloud, embedded or given broker)
programs    what to run → command lines
preparation database and static files, in-process, only when they changed
child       one program: start, output, restart, stop
watchdog    a worker or a beat that lives but does nothing
supervisor  the conductor
launch, web the two small scripts that run inside the children
"""

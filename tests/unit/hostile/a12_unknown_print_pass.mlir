// ARGS: -p cse --print-ir-after=cze

stats data using "total" name "N" nooutput
high = N_max * 1.05
part(n) = n
eval ticks("y", whole(N_max))

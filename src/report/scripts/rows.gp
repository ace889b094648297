# Up to twenty bars from the top; where there are fewer than eight, as thick as of eight.
stats data using (column(length)) name "L" nooutput
n = L_records > 8 ? L_records : 8
set yrange [n - 0.5 : -0.5]
set xrange [0 : L_max * 1.2]
set grid noytics
set lmargin at screen 0.38
set rmargin at screen 0.98
set tmargin at screen 0.99
set bmargin at screen 0.07
set ytics font ",12"
eval ticks("x", whole(L_max))

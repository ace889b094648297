# Bars of a logarithmic axis begin at a half: one user is a bar that can be seen.
stats data using "users" name "U" nooutput
n = U_records > 8 ? U_records : 8
set yrange [n - 0.5 : -0.5]
set logscale x
set xrange [0.5 : 4 * U_max ** 1.2]
set format x "%.0s%c"
set grid noytics
set lmargin at screen 0.27
set rmargin at screen 0.98
set ytics font ",12"
set ylabel "tweets of the user" textcolor rgb ink
set xlabel "users" textcolor rgb ink

plot data using (0.5):0:(0.5):"users":($0 - 0.37):($0 + 0.37):ytic(strcol("tweets")) with boxxyerror linecolor rgb accent, \
     "" using "users":0:(sprintf("%.0f", column("users"))) with labels left offset 0.6, 0 font ",12" textcolor rgb ink

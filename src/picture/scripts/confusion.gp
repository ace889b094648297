# A square's strength is its share of the given class, so that a rare class shows its errors as a common one does.
stats data using "x" name "X" nooutput
n = X_max + 1
strength(share) = (int(255 * (0.94 - 0.64 * share)) << 24) + accent

unset grid
set size ratio 1
set xrange [-0.5 : n - 0.5]
set yrange [n - 0.5 : -0.5]
set xlabel "predicted" textcolor rgb ink
set ylabel "given" textcolor rgb ink

x(d) = column("x") + d
y(d) = column("y") + d
plot data using (x(0)):(y(0)):(x(-0.48)):(x(0.48)):(y(-0.48)):(y(0.48)):(strength(column("share"))) \
          :xtic(strcol("predicted")):ytic(strcol("given")) with boxxyerror linecolor rgb variable, \
     "" using (x(0)):(y(-0.1)):(sprintf("%.0f", column("count"))) with labels font ",17" textcolor rgb ink, \
     "" using (x(0)):(y(0.18)):(sprintf("%.1f%%", 100 * column("share"))) with labels font ",12" textcolor rgb ink

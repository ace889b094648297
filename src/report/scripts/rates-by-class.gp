set yrange [0 : 1.08]
set ytics 0.2
set format y "%.1f"
set xrange [-0.55 : 2.55]
set grid noxtics
eval legend("negative", "neutral", "positive")

x(k, d) = column(0) + 0.26 * (k - 1) + d
plot data using (x(0, 0)):(0):(x(0, -0.12)):(x(0, 0.12)):(0):"negative" with boxxyerror linecolor rgb negative, \
     "" using (x(1, 0)):(0):(x(1, -0.12)):(x(1, 0.12)):(0):"neutral":xtic(strcol("rate")) with boxxyerror linecolor rgb neutral, \
     "" using (x(2, 0)):(0):(x(2, -0.12)):(x(2, 0.12)):(0):"positive" with boxxyerror linecolor rgb positive, \
     for [k = 0 : 2] "" using (x(k, 0)):(column(k + 2) + 0.025):(sprintf("%.2f", column(k + 2))) with labels font ",11" textcolor rgb ink

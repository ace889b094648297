set xrange [-0.6 : 1.6]
set yrange [0 : 100]
set format y "%.0f %%"
set grid noxtics
eval legend("negative", "neutral", "positive")

all(x) = column("negative") + column("neutral") + column("positive")
upto(k) = 100.0 * ((k > 0 ? column("negative") : 0) + (k > 1 ? column("neutral") : 0) + (k > 2 ? column("positive") : 0)) / all(0)
colour(k) = k == 1 ? negative : k == 2 ? neutral : positive
# A share is written on its bar where that is high enough.
percent(n) = n < 4 ? "" : sprintf("%.1f %%", n)
plot for [k = 1 : 3] data using 0:(0):($0 - 0.35):($0 + 0.35):(upto(k - 1)):(upto(k)):xtic(strcol("labels")) with boxxyerror linecolor rgb colour(k), \
     for [k = 1 : 3] "" using 0:((upto(k - 1) + upto(k)) / 2):(percent(upto(k) - upto(k - 1))) with labels textcolor rgb "white"

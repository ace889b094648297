plot data using (0):0:(0):"tweets":($0 - 0.37):($0 + 0.37):ytic(strcol("user")) with boxxyerror linecolor rgb accent, \
     "" using "tweets":0:(sprintf("%.0f", column("tweets"))) with labels left offset 0.5, 0 font ",12" textcolor rgb ink

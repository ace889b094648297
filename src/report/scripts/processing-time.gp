height(x) = column("triggers") > 0 ? column("processing_seconds") : NaN

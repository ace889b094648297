length = "tweets"

"""What people choose first, and so what is guessed first: words that alone, or with digits around them, are refused.

Put together from the beginnings of the lists that are published every year of passwords in China and elsewhere; only
what could still pass the length.
"""

COMMON = frozenset(
    """
    password passw0rd p@ssword p@ssw0rd passwords pass pwd admin administrator root guest test tester testing demo user
    login welcome letmein iloveyou monkey dragon master sunshine princess football baseball superman batman shadow
    qwerty qwertyui qwertyuiop qwerty123 qwe qweasd qweasdzxc asdf asdfgh asdfghjkl zxcvbn zxcvbnm 1qaz2wsx 1qaz2wsx3edc
    1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 qazwsx qazwsxedc qaz zaq12wsx zaq1xsw2 !qaz2wsx 1qazxsw2
    abc abcd abcdef abcdefg abc123 a123456 aa123456 a1b2c3d4 a1b2c3d4e5 aaa111 asd123 qwe123 123qwe 123abc 123qweasd
    qwe123456 asd123456 zxc123456 abc123456 q123456 w123456 z123456 wang123456 li123456 zhang123456
    5201314 1314520 woaini woaini1314 woaini520 woaiwojia woaizhongguo woaizuguo aini1314 aini520 iloveyou1314 nihao
    nihaoma zhongguo china beijing shanghai jilin jilinshi yongji yongjixian changchun dongbei kouqian chaluhe
    wangwei zhangwei liwei wangfang lina zhanglei liujie mima wodemima mimamima houtai guanli guanliyuan admin888
    admin666 a5201314 a123123 qq123456 tencent taobao baidu weixin alibaba huawei laoban wangge wanggeyuan shequ
    jiedao zhengfu dangwei dangyuan lianhedangwei fangxun fangxunban yingji yingjiban pingji pingjiyizhangtu
    computer internet server windows changeme default secret temp temppassword newpassword mypassword
    """.split()  # noqa: SIM905
)
